
/*
 * DNS messages: over UDP by a socket of our own; over TCP and TLS, which has
 * the same certificates to check as HTTPS, by a connection of libcurl's.
 */

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "torii_dns.h"


#define TORII_DNS_TIMEOUT  10000       /* ms */
#define TORII_DNS_HEADER   12          /* bytes */
#define TORII_DNS_MESSAGE  65535


static const char *torii_dns_link_udp(torii_dns_link_t *l, const char *host,
    const char *port);
static const char *torii_dns_link_tcp(torii_dns_link_t *l,
    const dnssync_request_t *request, const char *host, const char *port);
static CURLcode torii_dns_link_alpn(CURL *curl, void *ctx, void *data);
static const char *torii_dns_link_fill(torii_dns_link_t *l, size_t n);
static int torii_dns_link_wait(torii_dns_link_t *l, int fd, short events);
static int torii_dns_link_fd(torii_dns_link_t *l);


/* "host", "host:port", "[IPv6]:port" */

const char *
torii_dns_link_open(torii_dns_link_t *l, const dnssync_request_t *request,
    int tcp)
{
    char        *p, *host, text[300];
    const char  *port;

    memset(l, 0, sizeof(torii_dns_link_t));

    l->fd = -1;
    l->until = torii_dns_now() + (request->timeout ? request->timeout
                                                   : TORII_DNS_TIMEOUT);

    if (request->server.len == 0 || request->server.len >= sizeof(text)) {
        return "the name server is not \"host[:port]\"";
    }

    (void) snprintf(text, sizeof(text), "%.*s",
                    torii_str_arg(request->server));

    port = request->tls ? "853" : "53";
    host = text;

    if (text[0] == '[') {
        p = strchr(text, ']');

        if (p == NULL) {
            return "the name server is not \"[address]:port\"";
        }

        host = text + 1;
        *p++ = '\0';

    } else {
        p = strchr(text, ':');
    }

    if (p && *p == ':') {
        *p = '\0';
        port = p + 1;
    }

    return tcp ? torii_dns_link_tcp(l, request, host, port)
               : torii_dns_link_udp(l, host, port);
}


static const char *
torii_dns_link_udp(torii_dns_link_t *l, const char *host, const char *port)
{
    struct addrinfo   hints, *found, *i;

    memset(&hints, 0, sizeof(struct addrinfo));
    hints.ai_socktype = SOCK_DGRAM;

    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return "the name server's address is not known";
    }

    for (i = found; i && l->fd == -1; i = i->ai_next) {
        l->fd = socket(i->ai_family, i->ai_socktype|SOCK_CLOEXEC, 0);

        if (l->fd != -1 && connect(l->fd, i->ai_addr, i->ai_addrlen) == -1) {
            close(l->fd);
            l->fd = -1;
        }
    }

    freeaddrinfo(found);

    return l->fd == -1 ? "the name server cannot be reached" : NULL;
}


static const char *
torii_dns_link_tcp(torii_dns_link_t *l, const dnssync_request_t *request,
    const char *host, const char *port)
{
    CURL              *curl;
    char               url[400];
    CURLcode           rc;
    struct curl_blob   ca;

    curl = curl_easy_init();
    if (curl == NULL) {
        return "libcurl does not start";
    }

    l->curl = curl;

    (void) snprintf(url, sizeof(url), "%s://%s%s%s:%s",
                    request->tls ? "https" : "http",
                    strchr(host, ':') ? "[" : "", host,
                    strchr(host, ':') ? "]" : "", port);

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, torii_dns_link_alpn);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) TORII_DNS_TIMEOUT);

    if (request->ca.len) {
        ca.data = request->ca.data;
        ca.len = request->ca.len;
        ca.flags = CURL_BLOB_COPY;
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
    }

    rc = curl_easy_perform(curl);

    return rc == CURLE_OK ? NULL : curl_easy_strerror(rc);
}


/* RFC 9103 section 7.1: without it there is no transfer */

static CURLcode
torii_dns_link_alpn(CURL *curl, void *ctx, void *data)
{
    static const unsigned char  dot[] = "\3dot";

    return SSL_CTX_set_alpn_protos(ctx, dot, sizeof(dot) - 1) == 0
           ? CURLE_OK : CURLE_SSL_CONNECT_ERROR;
}


const char *
torii_dns_link_send(torii_dns_link_t *l, torii_str_t message)
{
    size_t         n, sent;
    CURLcode       rc;
    torii_buf_t    out;
    unsigned char  len[2];

    if (l->fd != -1) {
        return send(l->fd, message.data, message.len, MSG_NOSIGNAL)
               == (ssize_t) message.len ? NULL : strerror(errno);
    }

    len[0] = (unsigned char) (message.len >> 8);
    len[1] = (unsigned char) message.len;

    memset(&out, 0, sizeof(torii_buf_t));
    torii_buf_add(&out, len, 2);
    torii_buf_add_str(&out, message);

    rc = CURLE_OK;
    sent = 0;

    while (sent < out.len) {
        n = 0;
        rc = curl_easy_send(l->curl, out.data + sent, out.len - sent, &n);
        sent += n;

        if (rc != CURLE_OK && rc != CURLE_AGAIN) {
            break;
        }

        if (rc == CURLE_AGAIN
            && torii_dns_link_wait(l, torii_dns_link_fd(l), POLLOUT)
               != TORII_OK)
        {
            rc = CURLE_OPERATION_TIMEDOUT;
            break;
        }
    }

    torii_buf_free(&out);

    return sent == message.len + 2 ? NULL : curl_easy_strerror(rc);
}


const char *
torii_dns_link_read(torii_dns_link_t *l, torii_str_t *message)
{
    size_t       len;
    ssize_t      n;
    const char  *why;

    l->in.len = 0;
    message->data = torii_buf_room(&l->in, TORII_DNS_MESSAGE + 2);

    if (l->fd == -1) {
        why = torii_dns_link_fill(l, 2);

        if (why == NULL) {
            len = l->in.data[0] << 8 | l->in.data[1];
            why = torii_dns_link_fill(l, 2 + len);
        }

        message->data = l->in.data + 2;
        message->len = why ? 0 : l->in.len - 2;

    } else if (torii_dns_link_wait(l, l->fd, POLLIN) != TORII_OK) {
        why = "no answer in time";

    } else {
        n = recv(l->fd, message->data, TORII_DNS_MESSAGE, 0);
        why = (n == -1) ? strerror(errno) : NULL;
        message->len = n > 0 ? n : 0;
    }

    return why ? why : message->len < TORII_DNS_HEADER
                       ? "an answer that is no DNS message" : NULL;
}


/* Until n bytes are there, and not one more. */

static const char *
torii_dns_link_fill(torii_dns_link_t *l, size_t n)
{
    size_t    got;
    CURLcode  rc;

    while (l->in.len < n) {
        got = 0;
        rc = curl_easy_recv(l->curl, l->in.data + l->in.len, n - l->in.len,
                            &got);
        l->in.len += got;

        if (rc == CURLE_AGAIN) {

            if (torii_dns_link_wait(l, torii_dns_link_fd(l), POLLIN)
                != TORII_OK)
            {
                return "no answer in time";
            }

        } else if (rc != CURLE_OK) {
            return curl_easy_strerror(rc);

        } else if (got == 0) {
            return "the name server closed the connection";
        }
    }

    return NULL;
}


static int
torii_dns_link_wait(torii_dns_link_t *l, int fd, short events)
{
    uint64_t       now;
    struct pollfd  p;

    now = torii_dns_now();

    p.fd = fd;
    p.events = events;

    return now < l->until && poll(&p, 1, (int) (l->until - now)) == 1
           ? TORII_OK : TORII_ERROR;
}


static int
torii_dns_link_fd(torii_dns_link_t *l)
{
    curl_socket_t  fd;

    fd = -1;
    curl_easy_getinfo(l->curl, CURLINFO_ACTIVESOCKET, &fd);

    return fd;
}


void
torii_dns_link_close(torii_dns_link_t *l)
{
    curl_easy_cleanup(l->curl);
    l->curl = NULL;

    if (l->fd != -1) {
        close(l->fd);
        l->fd = -1;
    }

    torii_buf_free(&l->in);
}
