/* A client that costs little beside the server it measures: threads, EPSV, TYPE I, content dropped in the kernel
 * (MSG_TRUNC).
 *
 *   ftp_client PORT retr PATH FILES CLIENTS TIMES    each client logs in, then fetches PATH so many times; PATH may hold
 *                                              something like %05d, which becomes 0 .. FILES - 1 in turn
 *   ftp_client PORT login - 1 CLIENTS TIMES          each client connects, logs in and quits so many times
 *
 * Prints the seconds from the moment when all clients begin, and the bytes that came. Ends with 1 on the first reply
 * that is not the expected one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int port, files, times, login_only;
static const char *path;
static pthread_barrier_t begin;

struct control {
    int socket;
    int kept;
    char buffer[8192];
};

static void fail(const char *what) {
    fprintf(stderr, "ftp_client: %s\n", what);
    exit(1);
}

static int connected(int to) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(to)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1, number = socket(AF_INET, SOCK_STREAM, 0);
    if (number < 0 || connect(number, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
    setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return number;
}

/* The next line of a reply, without its end; valid until the next call. */
static char *line(struct control *control) {
    static __thread char found[8192];
    for (;;) {
        char *end = memchr(control->buffer, '\n', control->kept);
        if (end) {
            int length = end - control->buffer + 1;
            memcpy(found, control->buffer, length);
            found[length - 1] = 0;
            control->kept -= length;
            memmove(control->buffer, end + 1, control->kept);
            return found;
        }
        int got = recv(control->socket, control->buffer + control->kept, sizeof control->buffer - control->kept, 0);
        if (got <= 0) fail("the control connection was closed");
        control->kept += got;
    }
}

/* The last line of the next reply, which must begin with one of the digits. */
static char *reply(struct control *control, const char *digits) {
    char *text;
    do text = line(control);
    while (strlen(text) < 4 || text[3] != ' ');
    if (!strchr(digits, text[0])) fail(text);
    return text;
}

static void say(struct control *control, const char *text) {
    if (send(control->socket, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text)) fail("cannot send");
}

static void login(struct control *control) {
    control->kept = 0;
    control->socket = connected(port);
    reply(control, "2");
    say(control, "USER anonymous\r\n");
    if (reply(control, "23")[0] == '3') {
        say(control, "PASS bench@\r\n");
        reply(control, "2");
    }
}

static long long fetch(struct control *control, int number) {
    char command[1024], name[900];
    say(control, "EPSV\r\n");
    char *bars = strstr(reply(control, "2"), "|||");
    if (!bars) fail("no port in the reply to EPSV");
    int data = connected(atoi(bars + 3));
    snprintf(name, sizeof name, path, number % files);
    snprintf(command, sizeof command, "RETR %s\r\n", name);
    say(control, command);
    reply(control, "1");
    static __thread char sink[1];
    long long total = 0;
    ssize_t got;
    while ((got = recv(data, sink, 1 << 20, MSG_TRUNC)) > 0) total += got;
    if (got < 0) fail("the data connection was cut");
    close(data);
    reply(control, "2");
    return total;
}

static void *client(void *which) {
    struct control *control = calloc(1, sizeof *control);
    long long total = 0;
    if (!login_only) {
        login(control);
        say(control, "TYPE I\r\n");
        reply(control, "2");
    }
    pthread_barrier_wait(&begin);
    for (int done = 0; done < times; done++) {
        if (login_only) {
            login(control);
            say(control, "QUIT\r\n");
            reply(control, "2");
            close(control->socket);
        } else {
            total += fetch(control, done + (int)(long)which * 37);
        }
    }
    return (void *)total;
}

int main(int count, char **words) {
    if (count != 7) fail("PORT retr|login PATH FILES CLIENTS TIMES");
    port = atoi(words[1]);
    login_only = !strcmp(words[2], "login");
    path = words[3];
    files = atoi(words[4]);
    int clients = atoi(words[5]);
    times = atoi(words[6]);
    pthread_t threads[clients];
    pthread_barrier_init(&begin, NULL, clients + 1);
    for (long number = 0; number < clients; number++)
        if (pthread_create(threads + number, NULL, client, (void *)number)) fail("no thread");
    struct timespec from, to;
    pthread_barrier_wait(&begin);
    clock_gettime(CLOCK_MONOTONIC, &from);
    long long total = 0;
    for (int number = 0; number < clients; number++) {
        void *got;
        pthread_join(threads[number], &got);
        total += (long long)got;
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%.6f %lld\n", to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9, total);
    return 0;
}
