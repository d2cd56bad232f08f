/* A strict JSON reader for one object, and the rules for routes. Rejects what is not JSON, nested deeper than 32 levels,
   or outside the schema of the protocol. */
#include "message.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_DEPTH = 33, MAX_MESSAGE = 128 * 1024 };

struct span { const char *start, *end; };

static const char *skip_space(const char *at, const char *end) {
    while (at < end && strchr(" \t\r\n", *at) && *at) at++;
    return at;
}

static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++) {
        if ((unsigned char)*at < 0x20) return NULL;
        if (*at == '\\' && ++at == end) return NULL;
    }
    return at < end ? at + 1 : NULL;
}

static const char *skip_scalar(const char *at, const char *end) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - at) >= length && !strncmp(at, words[i], length)) return at + length;
    }
    const char *start = at;
    while (at < end && *at && strchr("+-.0123456789eE", *at)) at++;
    char text[41] = ""; /* as in the reference client: no number of 2^64 or more */
    if (at == start || at - start > 40 || (!isdigit((unsigned char)*start) && *start != '-')) return NULL;
    const double value = strtod(memcpy(text, start, (size_t)(at - start)), NULL);
    return value < 18446744073709551616.0 && value > -18446744073709551616.0 ? at : NULL;
}

/* Return the end of the value at `at`, NULL if it is not JSON. With `name`, `at` is an object, and the value of that
 * member is stored in `found`; of repeated members the last one counts, as in other JSON readers. */
static const char *skip_value(const char *at, const char *end, int depth, const char *name, struct span *found) {
    if (at >= end || depth > MAX_DEPTH) return NULL;
    if (*at == '"') return skip_string(at, end);
    if (*at != '{' && *at != '[') return skip_scalar(at, end);
    const bool object = *at == '{';
    const char close = object ? '}' : ']';
    at = skip_space(at + 1, end);
    if (at < end && *at == close) return at + 1;
    for (;;) {
        struct span key = {NULL, NULL};
        if (object) {
            if (at >= end || *at != '"') return NULL;
            key.start = at + 1;
            if (!(at = skip_string(at, end))) return NULL;
            key.end = at - 1;
            at = skip_space(at, end);
            if (at >= end || *at != ':') return NULL;
            at = skip_space(at + 1, end);
        }
        const char *value = at;
        if (!(at = skip_value(at, end, depth + 1, NULL, NULL))) return NULL;
        if (name && object && (size_t)(key.end - key.start) == strlen(name) &&
            !strncmp(key.start, name, strlen(name)))
            *found = (struct span){value, at};
        at = skip_space(at, end);
        if (at < end && *at == close) return at + 1;
        if (at >= end || *at != ',') return NULL;
        at = skip_space(at + 1, end);
    }
}

static struct span member(const char *payload, size_t size, const char *name) {
    struct span found = {NULL, NULL};
    skip_value(skip_space(payload, payload + size), payload + size, 0, name, &found);
    return found;
}

static bool is_object(const char *payload, size_t size) {
    const char *end = payload + size, *start = skip_space(payload, end);
    if (size > MAX_MESSAGE || start == end || *start != '{') return false;
    const char *after = skip_value(start, end, 0, NULL, NULL);
    return after && skip_space(after, end) == end;
}

/* Copy a string without its quotes. Escapes are not needed in host names and codes, so a string with one is rejected. */
static bool copy_string(struct span value, char *to, size_t size) {
    if (!value.start || *value.start != '"') return false;
    size_t length = (size_t)(value.end - value.start) - 2;
    if (length >= size || memchr(value.start, '\\', length + 1)) return false;
    memcpy(to, value.start + 1, length);
    to[length] = '\0';
    return true;
}

/* A whole number from 0 to `most`. A missing member or null gives `otherwise`. */
static bool read_number(struct span value, long long most, long long otherwise, long long *number) {
    *number = otherwise;
    if (!value.start || *value.start == 'n') return true;
    size_t length = (size_t)(value.end - value.start);
    if (length > 18) return false;
    *number = 0;
    for (const char *at = value.start; at < value.end; at++) {
        if (!isdigit((unsigned char)*at)) return false;
        *number = *number * 10 + (*at - '0');
    }
    return *number <= most;
}

static bool is_host(const char *text) {
    size_t label = 0;
    for (; *text; text++) {
        if (*text == '.') {
            if (label == 0) return false;
            label = 0;
        } else if ((!isalnum((unsigned char)*text) && (*text != '-' || label == 0)) || ++label > 63) {
            return false;
        }
    }
    return label > 0;
}

static bool read_route(const char *payload, size_t size, long port, struct route *route) {
    struct span config = member(payload, size, "config"), given_port = member(payload, size, "port");
    long long number = 0;
    memset(route, 0, sizeof *route);
    if (!copy_string(member(payload, size, "iotep"), route->host, sizeof route->host) || !is_host(route->host)) return false;
    if (config.start && *config.start != '"' && *config.start != '{') return false;
    size_t length = config.start ? (size_t)(config.end - config.start) : 0;
    if (length > MAX_CONFIG) return false;
    memcpy(route->config, config.start ? config.start : "\"default\"", config.start ? length : sizeof "\"default\"");
    for (char *at = route->config; *at; at++) /* the file has one line for it; control characters are white space */
        if ((unsigned char)*at < 0x20) *at = ' ';
    if (!read_number(member(payload, size, "generation"), 999999999999999999LL, NO_GENERATION, &route->generation))
        return false;
    if (!read_number(given_port, 65535, port, &number) || number < 1) return false;
    route->port = (long)number;
    return true;
}

static bool same_route(const struct route *a, const struct route *b) {
    return !strcasecmp(a->host, b->host) && a->port == b->port && a->generation == b->generation &&
           !strcmp(a->config, b->config);
}

static bool is_older(const struct route *route, const struct route *stored, bool in_lobby) {
    if (stored->generation == NO_GENERATION) return false;
    if (route->generation == NO_GENERATION) return !in_lobby;
    return route->generation < stored->generation;
}

struct decision decide(const char *payload, size_t size, bool in_lobby, long port, const struct route *stored,
                       const struct route *ignored) {
    struct decision result = {.action = IGNORE};
    char config[16];
    if (!is_object(payload, size)) return result;
    if (copy_string(member(payload, size, "config"), config, sizeof config) && !strcmp(config, "factory reset"))
        return (struct decision){.action = RESET};
    if (member(payload, size, "presence").start && !member(payload, size, "iotep").start) {
        bool valid = copy_string(member(payload, size, "presence"), result.code, sizeof result.code) &&
                     strspn(result.code, "0123456789") == 8;
        result.action = valid && in_lobby ? SHOW_CODE : IGNORE;
        return result;
    }
    if (!read_route(payload, size, port, &result.route)) return (struct decision){.action = IGNORE};
    if (stored->host[0] && same_route(&result.route, stored)) {
        result.action = in_lobby ? REPEATED : IGNORE;
    } else if (!stored->host[0]) {
        result.action = in_lobby ? FOLLOW : IGNORE;
    } else if (!in_lobby && (strcasecmp(result.route.host, stored->host) || result.route.port != stored->port)) {
        result.action = IGNORE;
    } else if (!is_older(&result.route, stored, in_lobby)) {
        result.action = FOLLOW;
    } else if (in_lobby && ignored->host[0] && same_route(&result.route, ignored)) {
        result.action = FOLLOW;
    }
    return result;
}
