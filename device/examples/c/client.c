/* A device client in C11 with Eclipse Paho and OpenSSL: hellos, routes, backoff, fallback, factory reset and presence
   codes, as in docs/device-protocol.md. Usage: lobby-device NAME CERTIFICATE KEY CA LOBBY PORT ROUTE_FILE */
#include <MQTTClient.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

enum { FAILURES_BEFORE_FALLBACK = 10, KEEP_ALIVE = 30, CONNECT_SECONDS = 10, MQTT_PORT = 8883 /* others: ALPN */ };

static const char *name, *certificate, *key, *ca, *lobby, *file;
static long lobby_port;
static double first_wait = 1.5, stable_after = 30;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A random number between half of `most` and `most`, so that devices which fail together do not retry together. */
static double jittered(double most) {
    uint32_t number = 0;
    if (RAND_bytes((unsigned char *)&number, sizeof number) != 1) abort();
    return most * (0.5 + 0.5 * number / UINT32_MAX);
}

static double exponential(double first, double cap, int count) {
    while (--count > 0 && first < cap) first *= 2;
    return first < cap ? first : cap;
}

static void pause_for(double seconds) {
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&time, &time)) continue;
}

/* Hex SHA-256 of the route, to detect a torn file. */
static void checksum(const char *text, char hex[65]) {
    unsigned char digest[32];
    if (!EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL)) abort();
    for (int i = 0; i < 32; i++) sprintf(hex + 2 * i, "%02x", digest[i]);
}

static void load(struct route *route) {
    char content[MAX_CONFIG + MAX_HOST + 200] = "", hex[65];
    memset(route, 0, sizeof *route);
    FILE *in = fopen(file, "r");
    if (!in) return;
    content[fread(content, 1, sizeof content - 1, in)] = '\0';
    fclose(in);
    checksum(strlen(content) > 65 ? content + 65 : "", hex);
    if (strncmp(content, hex, 64) || sscanf(content + 65, "%253[^\n]\n%ld\n%lld\n%8192[^\n]", route->host, &route->port,
                                            &route->generation, route->config) != 4)
        memset(route, 0, sizeof *route);
}

/* Write a new file, then rename it: a power cut leaves the old route or the new one. An empty route removes the file. */
static bool store(const struct route *route) {
    char text[MAX_CONFIG + MAX_HOST + 100], hex[65], next[4096], folder[4096];
    snprintf(next, sizeof next, "%s.new", file);
    snprintf(folder, sizeof folder, "%s", file);
    snprintf(text, sizeof text, "%s\n%ld\n%lld\n%s\n", route->host, route->port, route->generation, route->config);
    checksum(text, hex);
    FILE *out = fopen(next, "w");
    if (!out) return false;
    bool done = fprintf(out, "%s\n%s", hex, text) > 0 && !fflush(out) && !fsync(fileno(out));
    done = !fclose(out) && done && !rename(next, file) && (route->host[0] || !unlink(file));
    char *slash = strrchr(folder, '/');
    int directory = open(slash ? (*slash = '\0', folder) : ".", O_RDONLY);
    return done && directory >= 0 && !(fsync(directory) | close(directory));
}

static MQTTClient connect_to(const char *host, long port) {
    char address[MAX_HOST + 32];
    MQTTClient client;
    MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    snprintf(address, sizeof address, "ssl://%s:%ld", host, port);
    tls.trustStore = ca;
    tls.keyStore = certificate; /* the device's certificate, followed by its CA's */
    tls.privateKey = key;
    tls.enableServerCertAuth = 1;
    tls.verify = 1; /* the host name, which is also sent as SNI */
    if (port != MQTT_PORT) tls.protos = (const unsigned char *)"\016x-amzn-mqtt-ca", tls.protos_len = 15;
    options.ssl = &tls;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.cleansession = 1;
    options.keepAliveInterval = KEEP_ALIVE;
    options.connectTimeout = CONNECT_SECONDS;
    if (MQTTClient_create(&client, address, name, MQTTCLIENT_PERSISTENCE_NONE, NULL)) return NULL;
    if (MQTTClient_connect(client, &options) == MQTTCLIENT_SUCCESS) return client;
    MQTTClient_destroy(&client);
    return NULL;
}

static double hello_interval(double waited) { return waited < 600 ? 60 : waited < 7200 ? 900 : 3600; }

static bool say_hello(MQTTClient client) {
    char hello[] = "{\"version\": \"c example\", \"presence\": true}";
    MQTTClient_deliveryToken token;
    return MQTTClient_publish(client, "$aws/rules/lobby", (int)strlen(hello), hello, 1, 0, &token) == MQTTCLIENT_SUCCESS &&
           MQTTClient_waitForCompletion(client, token, CONNECT_SECONDS * 1000L) == MQTTCLIENT_SUCCESS;
}

/* Stay connected until a message decides where to go. Return its decision; IGNORE if the connection has failed. `lasted`
   is how long the device was subscribed. A repeated route counts only after `not_before`. */
static struct decision session(const struct route *route, bool in_lobby, double not_before, double *lasted) {
    const char *host = in_lobby ? lobby : route->host;
    const long port = in_lobby ? lobby_port : route->port;
    struct decision decision = {.action = IGNORE};
    struct route ignored = {.host = ""};
    char topic[160], code[9] = "";
    MQTTClient client = connect_to(host, port);
    *lasted = 0;
    if (!client) return decision;
    snprintf(topic, sizeof topic, "lobby/%s", name);
    bool ready = MQTTClient_subscribe(client, topic, 1) == MQTTCLIENT_SUCCESS, repeated = false;
    double since = now(), next_hello = in_lobby ? since : since + 1e12;
    if (ready) printf("connected to the %s %s:%ld\n", in_lobby ? "lobby" : "target", host, port);
    while (ready && MQTTClient_isConnected(client)) {
        char *received_on = NULL;
        int length = 0;
        MQTTClient_message *message = NULL;
        if (now() >= next_hello) {
            if (!say_hello(client)) break;
            next_hello = now() + 0.7 * hello_interval(now() - since) + jittered(0.4 * hello_interval(now() - since));
        }
        if (repeated && now() >= not_before) {
            decision.action = REPEATED;
            break;
        }
        if (MQTTClient_receive(client, &received_on, &length, &message, 200) < 0) break;
        if (!message) continue;
        bool ours = (size_t)length == strlen(topic) || length == 0 ? !strcmp(received_on, topic) : false;
        if (ours) decision = decide(message->payload, (size_t)message->payloadlen, in_lobby, port, route, &ignored);
        MQTTClient_freeMessage(&message);
        MQTTClient_free(received_on);
        if (!ours) continue;
        if (decision.action == FOLLOW || decision.action == RESET) break;
        if (decision.action == IGNORE && decision.route.host[0] && in_lobby) ignored = decision.route;
        if (decision.action == SHOW_CODE && strcmp(code, decision.code)) printf("presence code %s\n", strcpy(code, decision.code));
        repeated = repeated || decision.action == REPEATED;
        decision.action = IGNORE;
    }
    *lasted = ready ? now() - since : 0;
    MQTTClient_disconnect(client, 1000);
    MQTTClient_destroy(&client);
    return decision;
}

int main(int count, char **arguments) {
    if (count != 8) return fprintf(stderr, "usage: %s NAME CERTIFICATE KEY CA LOBBY PORT ROUTE_FILE\n", arguments[0]), 2;
    name = arguments[1], certificate = arguments[2], key = arguments[3], ca = arguments[4], lobby = arguments[5];
    lobby_port = strtol(arguments[6], NULL, 10), file = arguments[7];
    if (getenv("FIRST_WAIT")) first_wait = strtod(getenv("FIRST_WAIT"), NULL);
    if (getenv("STABLE")) stable_after = strtod(getenv("STABLE"), NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct route route;
    bool fallback = false;
    int failures = 0, fallbacks = 0;
    double not_before = 0, lasted = 0, failing_since = 0;
    for (load(&route);;) {
        const bool in_lobby = fallback || !route.host[0];
        struct decision decision = session(&route, in_lobby, not_before, &lasted);
        if (lasted > stable_after) failures = 0, fallbacks = in_lobby ? fallbacks : 0;
        if (decision.action == FOLLOW || decision.action == RESET) {
            route = decision.action == FOLLOW ? decision.route : (struct route){.host = ""};
            printf("%s %s\n", decision.action == FOLLOW ? "route" : "factory reset", route.host);
            while (!store(&route)) puts("the route is not stored: the disk fails"), pause_for(30);
            fallback = false, failures = fallbacks = 0;
        } else if (decision.action == REPEATED) {
            fallback = false, failures = 0;
        } else {
            if (!failures++) failing_since = now();
            printf("no connection to the %s, failure %d\n", in_lobby ? "lobby" : "target", failures);
            pause_for(jittered(exponential(first_wait, 60, failures)));
            if (!route.host[0] || (failures < FAILURES_BEFORE_FALLBACK && now() - failing_since < 300)) continue;
            fallback = !in_lobby, failures = 0;
            if (fallback) not_before = now() + jittered(exponential(10 * first_wait, 900, ++fallbacks));
        }
    }
}
