/* Stand-ins of cloudcore and edgecore for tests: one program that acts by the name it is started under. C, because sh
 * cannot listen, and because other programs look for it by the kernel's name of the process. Linked statically.
 *
 * cloudcore, by facts that recordings show (cloudcore-makes-a-new-CA-…, guide-14-…):
 *   ends at once when the API does not answer; makes a new authority when casecret cannot be read, for whatever reason;
 *   opens 10000 and 10002, with cloudStream.enable 10003 and 10004 too, together, after DELAY milliseconds.
 * edgecore (join-good, join-wrong-token, edgecore-…):
 *   ends on a process called kubelet or kube-proxy, on an engine that does not answer or has another driver of control
 *   groups; reuses certificates that are there, else fetches the authority from 10002, holds it to the token and writes
 *   them; connects to 10000, with edgeStream.enable to 10004, and opens 127.0.0.1:10350.
 * Played: what goes over the connections (10002 sends the authority, 10000 takes the node's name), the edge's certificate
 * (which nobody has signed), the node (a line for `kubectl create`, Ready from the first moment), the rules of iptables
 * (one chain, as recorded, where there is iptables).
 *
 * Files: /etc/stand-ins/delay-ms holds DELAY, from 0 to 9500; 0 without it. What needs more than C runs in sh. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CLIENTS 64

static const char CLOUD[] =
    "config=/etc/kubeedge/config/cloudcore.yaml; log() { printf '%s%s stand-in] %s\\n' \"$1\" \"$(date '+%m%d %T.000000 1')\" \"$2\" >&2; }\n"
    "kubectl=\"kubectl --kubeconfig $(sed -n 's/^ *kubeConfig: //p' $config) -n kubeedge\"\n"
    "$kubectl get --raw /readyz >/dev/null 2>&1 || { log F 'failed to create Namespace kubeedge'; exit 1; }\n"
    "$kubectl create namespace kubeedge >/dev/null 2>&1\n"
    "if grep -A1 '^  cloudStream:' $config | grep -q 'enable: true'; then\n"
    "  for file in ca/streamCA.crt certs/stream.crt certs/stream.key; do\n"
    "    [ -e /etc/kubeedge/$file ] || { log F \"/etc/kubeedge/$file not exist\"; exit 1; }\n"
    "    [ -s /etc/kubeedge/$file ] || { log F 'Start stream server error tls: failed to find any PEM data in certificate input'; exit 1; }\n"
    "  done\n"
    "fi\n"
    "mkdir -p /run/stand-ins; ca=/run/stand-ins/authority\n"
    "if ! $kubectl get secret casecret -o 'jsonpath={.data.cadata}' 2>/dev/null | base64 -d >$ca || ! [ -s $ca ]; then\n"
    "  log I \"Ca and CaKey don't exist in the secret, and will be created by CloudCore\"\n"
    "  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=KubeEdge -keyout /dev/null \\\n"
    "    -outform DER -out $ca 2>/dev/null || { log F 'stand-in: no openssl'; exit 1; }\n"
    "  for name in casecret cloudcoresecret; do\n"
    "    $kubectl delete secret $name >/dev/null 2>&1\n"
    "    key=cadata; [ $name = casecret ] || key=cloudcoredata\n"
    "    $kubectl create secret generic $name --from-file=$key=$ca >/dev/null || exit 1\n"
    "  done\n"
    "fi\n"
    "end=$(($(date +%s) + 86400)); payload=$(printf '{\"exp\":%s}' $end | base64 | tr '+/' '-_' | tr -d '=')\n"
    "printf '%s.%s.%s.%s' \"$(sha256sum <$ca | cut -c1-64)\" eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9 $payload "
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA >/run/stand-ins/token\n"
    "$kubectl delete secret tokensecret >/dev/null 2>&1\n"
    "$kubectl create secret generic tokensecret --from-file=tokendata=/run/stand-ins/token >/dev/null\n"
    "own=$(grep -A1 'advertiseAddress:' $config | sed -n 's/^ *- //p')\n"
    "printf '{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"tunnelport\",\"namespace\":\"kubeedge\",\"annotations\":{"
    "\"tunnelportrecord.kubeedge.io\":\"{\\\\\"ipTunnelPort\\\\\":{\\\\\"%s\\\\\":10351}}\"}}}\\n' \"$own\" | $kubectl apply -f - >/dev/null\n"
    "if command -v iptables >/dev/null; then\n"
    "  rule='PREROUTING -j TUNNEL-PORT'; iptables -w -t nat -N TUNNEL-PORT 2>/dev/null\n"
    "  iptables -w -t nat -C $rule 2>/dev/null || iptables -w -t nat -A $rule 2>/dev/null\n"
    "  rule=\"TUNNEL-PORT -p tcp --dport 10351 -j DNAT --to-destination $own:10003\"\n"
    "  iptables -w -t nat -C $rule 2>/dev/null || iptables -w -t nat -A $rule 2>/dev/null\n"
    "fi; true\n";

static const char EDGE[] =
    "config=/etc/kubeedge/config/edgecore.yaml; log() { printf '%s%s stand-in:1] %s\\n' \"$1\" \"$(date '+%m%d %T.000000    1')\" \"$2\" >&2; exit 1; }\n"
    "for comm in /proc/[0-9]*/comm; do read -r name <$comm 2>/dev/null || continue\n"
    "  case $name in kubelet | kube-proxy) log F \"failed to check the running environment: $name should not running on edge node when running edgecore\" ;; esac\n"
    "done\n"
    "driver=$(docker info --format '{{.CgroupDriver}}' 2>/dev/null) || log E 'init new edged error, failed to get docker version: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?'\n"
    "own=$(sed -n 's/^    cgroupDriver: //p' $config)\n"
    "[ \"$own\" = \"$driver\" ] || log E \"init new edged error, misconfiguration: kubelet cgroup driver: \\\"$own\\\" is different from docker cgroup driver: \\\"$driver\\\"\"\n";

static const char CHECK[] =
    "config=/etc/kubeedge/config/edgecore.yaml; token=$(sed -n 's/^    token: //p' $config); found=$(sha256sum <$1 | cut -c1-64)\n"
    "if [ \"${token%%.*}\" != $found ]; then\n"
    "  printf 'F%s certmanager.go:94] Error: failed to validate CA certificate. tokenCAhash: %s, CAhash: %s\\n' "
    "\"$(date '+%m%d %T.000000    1')\" \"${token%%.*}\" $found >&2; exit 1\n"
    "fi\n"
    "mkdir -p /etc/kubeedge/ca /etc/kubeedge/certs\n"
    "{ echo '-----BEGIN CERTIFICATE-----'; base64 -w 64 $1; echo '-----END CERTIFICATE-----'; } >/etc/kubeedge/ca/rootCA.crt\n"
    "umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /O=system:nodes \\\n"
    "  -keyout /etc/kubeedge/certs/server.key -out /run/stand-in.crt 2>/dev/null\n"
    "umask 022; cat /run/stand-in.crt >/etc/kubeedge/certs/server.crt; rm -f /run/stand-in.crt $1\n";

static int script(const char *text, const char *argument) {
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", text, "sh", argument, (char *)0);
        _exit(127);
    }
    int status = 1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static int listen_on(const char *address, int port) {
    int on = 1, off = 0, any = strcmp(address, "::") == 0;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, any ? "0.0.0.0" : address, &four.sin_addr);
    int listener = any ? socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    int is_six = listener >= 0;
    if (!is_six) listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (is_six) setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(listener, is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four, is_six ? sizeof six : sizeof four) ||
        listen(listener, 64)) {
        perror(address);
        exit(1);
    }
    return listener;
}

/* the value of a line `KEY: VALUE` in a file, after a line that is HEAD; "" for none */
static void setting(const char *file, const char *head, const char *key, char *value, size_t size) {
    char line[512];
    int within = *head == 0;
    FILE *stream = fopen(file, "re");
    *value = 0;
    while (stream && fgets(line, sizeof line, stream)) {
        line[strcspn(line, "\n")] = 0;
        char *word = line + strspn(line, " ");
        if (!within) within = strcmp(line, head) == 0;
        else if (strncmp(word, key, strlen(key)) == 0 && word[strlen(key)] == ':') {
            snprintf(value, size, "%s", word + strlen(key) + 2);
            break;
        }
    }
    if (stream) fclose(stream);
}

static void register_node(const char *name) {
    char text[1024];
    snprintf(text, sizeof text,
             "printf '{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"%%s\",\"labels\":{"
             "\"node-role.kubernetes.io/edge\":\"\",\"node-role.kubernetes.io/agent\":\"\"}},\"status\":{\"conditions\":["
             "{\"type\":\"Ready\",\"status\":\"True\"}],\"nodeInfo\":{\"kubeletVersion\":\"v1.22.6-kubeedge-v1.11.1\"}}}\\n' '%s' | kubectl "
             "--kubeconfig $(sed -n 's/^ *kubeConfig: //p' /etc/kubeedge/config/cloudcore.yaml) create -f - 2>/dev/null",
             name);
    script(text, "");
}

static int cloudcore(void) {
    char enabled[16], delay[16] = "0";
    if (script(CLOUD, "")) return 1;
    FILE *stream = fopen("/etc/stand-ins/delay-ms", "re");
    if (stream) {
        if (!fgets(delay, sizeof delay, stream)) delay[0] = 0;
        fclose(stream);
    }
    usleep(1000 * (useconds_t)atoi(delay));
    setting("/etc/kubeedge/config/cloudcore.yaml", "  cloudStream:", "enable", enabled, sizeof enabled);
    int ports[] = {10000, 10002, 10003, 10004}, count = strcmp(enabled, "true") == 0 ? 4 : 2, used = count;
    struct pollfd known[4 + MAX_CLIENTS];
    int is_hub[4 + MAX_CLIENTS] = {0};
    for (int i = 0; i < count; i++) known[i] = (struct pollfd){.fd = listen_on("::", ports[i]), .events = POLLIN};
    for (;;) {
        if (poll(known, used, -1) < 0) continue;
        for (int i = used - 1; i >= count; i--) {
            char data[256];
            if (!known[i].revents) continue;
            ssize_t size = read(known[i].fd, data, sizeof data - 1);
            if (size <= 0) {
                close(known[i].fd);
                known[i] = known[--used];
                is_hub[i] = is_hub[used];
                continue;
            }
            data[size] = 0;
            data[strspn(data, "abcdefghijklmnopqrstuvwxyz0123456789.-")] = 0;
            if (is_hub[i]) register_node(data);
        }
        for (int i = 0; i < count; i++) {
            if (!known[i].revents) continue;
            int client = accept4(known[i].fd, 0, 0, SOCK_CLOEXEC);
            if (client < 0) continue;
            if (ports[i] == 10002 || used == 4 + MAX_CLIENTS) {
                char data[4096];
                FILE *authority = ports[i] == 10002 ? fopen("/run/stand-ins/authority", "re") : 0;
                size_t size = authority ? fread(data, 1, sizeof data, authority) : 0;
                if (authority) fclose(authority);
                if (size && write(client, data, size) < 0) perror("10002");
                close(client);
            } else {
                is_hub[used] = ports[i] == 10000;
                known[used++] = (struct pollfd){.fd = client, .events = POLLIN};
            }
        }
    }
}

static int connect_to(const char *server) {
    char host[256];
    snprintf(host, sizeof host, "%s", server);
    char *port = strrchr(host, ':');
    if (!port) return -1;
    *port++ = 0;
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    inet_pton(AF_INET, host, &there.sin_addr);
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(connection, (struct sockaddr *)&there, sizeof there)) {
        close(connection);
        return -1;
    }
    return connection;
}

static int fetch_authority(const char *server) {
    static const char *place = "/run/stand-in-authority";
    char data[4096];
    ssize_t size;
    int connection;
    while ((connection = connect_to(server)) < 0) sleep(1);
    FILE *stream = fopen(place, "we");
    while (stream && (size = read(connection, data, sizeof data)) > 0) fwrite(data, 1, size, stream);
    if (stream) fclose(stream);
    close(connection);
    return script(CHECK, place);
}

static int edgecore(void) {
    static const char *config = "/etc/kubeedge/config/edgecore.yaml";
    char server[256], hub[256], tunnel[256], name[256], enabled[16];
    if (script(EDGE, "")) return 1;
    setting(config, "  edgeHub:", "httpServer", server, sizeof server);
    setting(config, "    websocket:", "server", hub, sizeof hub);
    setting(config, "  edgeStream:", "enable", enabled, sizeof enabled);
    setting(config, "  edgeStream:", "server", tunnel, sizeof tunnel);
    setting(config, "  edged:", "hostnameOverride", name, sizeof name);
    int reused = access("/etc/kubeedge/certs/server.crt", R_OK) == 0 && access("/etc/kubeedge/certs/server.key", R_OK) == 0;
    if (!reused && fetch_authority(server + strlen("https://"))) return 1;
    struct pollfd known[] = {{.fd = -1, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    listen_on("127.0.0.1", 10350);
    for (;;) {
        if (known[0].fd < 0 && (known[0].fd = connect_to(hub)) >= 0) dprintf(known[0].fd, "%s\n", name);
        if (known[1].fd < 0 && strcmp(enabled, "true") == 0) known[1].fd = connect_to(tunnel);
        poll(known, 2, 1000);
        for (int i = 0; i < 2; i++) {
            char data[64];
            if (known[i].fd >= 0 && known[i].revents && read(known[i].fd, data, sizeof data) <= 0) {
                close(known[i].fd);
                known[i].fd = -1;
            }
        }
    }
}

int main(int count, char **words) {
    (void)count;
    signal(SIGPIPE, SIG_IGN);
    const char *name = strrchr(words[0], '/');
    name = name ? name + 1 : words[0];
    return strcmp(name, "cloudcore") == 0 ? cloudcore() : edgecore();
}
