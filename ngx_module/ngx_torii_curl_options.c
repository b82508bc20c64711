
/*
 * What libcurl is told of a request: the URL, the headers, whom to trust, and
 * what its sockets may connect to.
 */

#include "ngx_torii_curl_multi.h"

#include "ingress_login.h"


#define NGX_TORII_CURL_BUFFER       32768    /* of a read */
#define NGX_TORII_CURL_KEEPALIVE    15L      /* seconds between two probes */
#define NGX_TORII_CURL_UNACKED      45000    /* ms, then a connection is dead */
#define NGX_TORII_CURL_AGENT        "torii/" TORII_VERSION


static ngx_int_t ngx_torii_curl_login(CURL *easy,
    const ngx_torii_curl_request_t *req);
static ngx_int_t ngx_torii_curl_url(ngx_torii_curl_transfer_t *t,
    const ngx_torii_curl_request_t *req);
static ngx_int_t ngx_torii_curl_tls_name(ngx_torii_curl_transfer_t *t,
    CURLU *u, char *name);
static ngx_int_t ngx_torii_curl_header_add(ngx_torii_curl_transfer_t *t,
    char *header);
static ngx_int_t ngx_torii_curl_tls(ngx_torii_curl_transfer_t *t);
static CURLcode ngx_torii_curl_ssl(CURL *easy, void *ssl_ctx, void *data);
static int ngx_torii_curl_sockopt(void *data, curl_socket_t fd,
    curlsocktype purpose);
static curl_socket_t ngx_torii_curl_foreign(void *data, curlsocktype purpose,
    struct curl_sockaddr *to);


ngx_int_t
ngx_torii_curl_options(ngx_torii_curl_transfer_t *t,
    const ngx_torii_curl_request_t *req)
{
    char  **header;
    CURL   *easy;

    easy = curl_easy_init();
    if (easy == NULL) {
        return NGX_ERROR;
    }

    t->easy = easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, NGX_TORII_CURL_AGENT);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long) NGX_TORII_CURL_BUFFER);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) req->timeout);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long) req->connect_timeout);

    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, NGX_TORII_CURL_KEEPALIVE);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, NGX_TORII_CURL_KEEPALIVE);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, ngx_torii_curl_sockopt);

    if (req->foreign) {
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
                         ngx_torii_curl_foreign);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
    }

    for (header = req->headers; header && *header; header++) {
        if (ngx_torii_curl_header_add(t, *header) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (req->body.len) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t) req->body.len);

        /* without waiting for "100 Continue"; libcurl would sign a header that
           it does not send */

        if (curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, req->body.data)
            != CURLE_OK
            || (req->sign == NULL
                && ngx_torii_curl_header_add(t, "Expect:") != NGX_OK))
        {
            return NGX_ERROR;
        }
    }

    if (ngx_strcmp(req->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }

    if (ngx_torii_curl_url(t, req) != NGX_OK
        || ngx_torii_curl_login(easy, req) != NGX_OK
        || curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, req->method)
           != CURLE_OK)
    {
        return NGX_ERROR;
    }

    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);

    return ngx_torii_curl_tls(t);
}


/* A signature goes over the query as it is: its author has it sorted. */

static ngx_int_t
ngx_torii_curl_login(CURL *easy, const ngx_torii_curl_request_t *req)
{
    if (req->login == NULL) {
        return NGX_OK;
    }

    if (curl_easy_setopt(easy, CURLOPT_USERPWD, req->login) != CURLE_OK) {
        return NGX_ERROR;
    }

    if (req->sign) {
        return curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, req->sign) == CURLE_OK
               ? NGX_OK : NGX_ERROR;
    }

    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);

    return NGX_OK;
}


static ngx_int_t
ngx_torii_curl_url(ngx_torii_curl_transfer_t *t,
    const ngx_torii_curl_request_t *req)
{
    char       *url;
    CURLU      *u;
    ngx_int_t   rc;

    if (req->tls_name == NULL) {
        return curl_easy_setopt(t->easy, CURLOPT_URL, req->url) == CURLE_OK
               ? NGX_OK : NGX_ERROR;
    }

    url = NULL;
    rc = NGX_ERROR;

    u = curl_url();

    if (u && curl_url_set(u, CURLUPART_URL, req->url, 0) == CURLUE_OK
        && ngx_torii_curl_tls_name(t, u, req->tls_name) == NGX_OK
        && curl_url_get(u, CURLUPART_URL, &url, 0) == CURLUE_OK
        && curl_easy_setopt(t->easy, CURLOPT_URL, url) == CURLE_OK)
    {
        rc = NGX_OK;
    }

    curl_free(url);
    curl_url_cleanup(u);

    return rc;
}


/*
 * libcurl sends and verifies the URL's name: so the name to verify goes into
 * the URL, and the URL's own one into the Host header and where to connect to.
 */

static ngx_int_t
ngx_torii_curl_tls_name(ngx_torii_curl_transfer_t *t, CURLU *u, char *name)
{
    char       *host, *port, text[512];
    ngx_int_t   rc;

    host = NULL;
    port = NULL;
    rc = NGX_ERROR;

    if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK
        || curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT)
           != CURLUE_OK
        || curl_url_set(u, CURLUPART_HOST, name, 0) != CURLUE_OK)
    {
        goto done;
    }

    (void) snprintf(text, sizeof(text), "::%s:%s", host, port);

    t->connect_to = curl_slist_append(NULL, text);
    if (t->connect_to == NULL) {
        goto done;
    }

    curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);

    (void) snprintf(text, sizeof(text), "Host: %s:%s", host, port);

    rc = ngx_torii_curl_header_add(t, text);

done:

    curl_free(host);
    curl_free(port);

    return rc;
}


static ngx_int_t
ngx_torii_curl_header_add(ngx_torii_curl_transfer_t *t, char *header)
{
    struct curl_slist  *headers;

    headers = curl_slist_append(t->headers, header);
    if (headers == NULL) {
        return NGX_ERROR;
    }

    t->headers = headers;

    return NGX_OK;
}


/*
 * libcurl would read all authorities of the machine from their file for every
 * connection, which takes it a tenth of a second: it gets a store instead.
 */

static ngx_int_t
ngx_torii_curl_tls(ngx_torii_curl_transfer_t *t)
{
    CURL                    *easy;
    ngx_torii_curl_t        *curl;
    ngx_torii_curl_multi_t  *m;

    easy = t->easy;
    m = t->multi;
    curl = m->curl;

    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);

    if (m->tls && m->tls->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);

    } else if ((m->tls == NULL || m->tls->store == NULL)
               && curl->store == NULL)
    {
        curl->store = X509_STORE_new();
        if (curl->store == NULL) {
            return NGX_ERROR;
        }

        (void) X509_STORE_set_default_paths(curl->store);
        ERR_clear_error();
    }

    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, ngx_torii_curl_ssl);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, m);

    return NGX_OK;
}


static CURLcode
ngx_torii_curl_ssl(CURL *easy, void *ssl_ctx, void *data)
{
    SSL_CTX *ctx = ssl_ctx;
    ngx_torii_curl_multi_t *m = data;

    X509_STORE                  *store;
    const ngx_torii_curl_tls_t  *tls;

    tls = m->tls;
    store = (tls && tls->store) ? tls->store : m->curl->store;

    if (store) {
        SSL_CTX_set1_cert_store(ctx, store);
    }

    if (tls == NULL || tls->cert == NULL) {
        return CURLE_OK;
    }

    if (SSL_CTX_use_certificate(ctx, tls->cert) != 1
        || SSL_CTX_set1_chain(ctx, tls->chain) != 1
        || SSL_CTX_use_PrivateKey(ctx, tls->key) != 1)
    {
        ERR_clear_error();
        return CURLE_SSL_CERTPROBLEM;
    }

    return CURLE_OK;
}


/* What we sent and nobody confirms: the kernel would wait 15 minutes. */

static int
ngx_torii_curl_sockopt(void *data, curl_socket_t fd, curlsocktype purpose)
{
#ifdef TCP_USER_TIMEOUT
    int  ms;

    ms = NGX_TORII_CURL_UNACKED;

    (void) setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(int));
#endif

    return CURL_SOCKOPT_OK;
}


/* What a name leads to is known only now, whoever has it resolved how. */

static curl_socket_t
ngx_torii_curl_foreign(void *data, curlsocktype purpose,
    struct curl_sockaddr *to)
{
    ngx_torii_curl_transfer_t *t = data;

    uint8_t               addr[16];
    struct sockaddr_in   *sin;
    struct sockaddr_in6  *sin6;

    ngx_memzero(addr, sizeof(addr));

    switch (to->family) {

    case AF_INET:
        sin = (struct sockaddr_in *) &to->addr;
        addr[10] = 0xff;
        addr[11] = 0xff;
        ngx_memcpy(&addr[12], &sin->sin_addr, 4);
        break;

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) &to->addr;
        ngx_memcpy(addr, &sin6->sin6_addr, 16);
        break;

    default:
        return CURL_SOCKET_BAD;
    }

    if (ingress_upstream_local(addr)) {
        ngx_log_error(NGX_LOG_ERR, t->multi->curl->log, 0,
                      "torii: a server that is asked has an address of this "
                      "machine or its link, which objects may not name");
        return CURL_SOCKET_BAD;
    }

    return socket(to->family, to->socktype, to->protocol);
}
