/* Messages to a device (docs/device-protocol.md, sections 3 and 5): parsing, and what a device does with them. No I/O. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

enum { MAX_CONFIG = 8192, MAX_HOST = 253, NO_GENERATION = -1 };

struct route {
    char host[MAX_HOST + 1]; /* empty: no route */
    long port;
    long long generation;
    char config[MAX_CONFIG + 1]; /* JSON text */
};

enum action { IGNORE, FOLLOW, RESET, SHOW_CODE, REPEATED };

struct decision {
    enum action action;
    struct route route; /* FOLLOW: the new route. IGNORE from a lobby: the older route, to compare with the next one */
    char code[9];       /* SHOW_CODE */
};

/* Decide what to do with a payload of `size` bytes. `stored` is the device's route, `ignored` the last older route from
   the lobby, `port` the port of the connection. */
struct decision decide(const char *payload, size_t size, bool in_lobby, long port, const struct route *stored,
                       const struct route *ignored);

#endif
