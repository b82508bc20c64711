
/*
 * Servers that answer with the address they were asked from.  One of them may
 * lie or be wrong: what two say counts.  A router that dials anew gets an
 * address that may be gone in a moment: another one than before has to be said
 * for a while.  What was known stays when they agree no more.
 */

#include "ngx_torii_echo.h"
#include "ngx_torii_curl.h"
#include "torii_tree.h"


#define NGX_TORII_ECHO_EVERY    300000   /* ms between two rounds … */
#define NGX_TORII_ECHO_STEADY   30000    /* … while another address is new, or
                                            none is known … */
#define NGX_TORII_ECHO_SOON     5000     /* … after a change of interfaces */
#define NGX_TORII_ECHO_LOOK     60000    /* at interfaces that tell of it … */
#define NGX_TORII_ECHO_BLIND    5000     /* … or do not */
#define NGX_TORII_ECHO_TIMEOUT  10000
#define NGX_TORII_ECHO_BODY     1024
#define NGX_TORII_ECHO_VOTES    2


typedef struct {
    ngx_torii_echo_t  *echo;
    char              *url;
    ngx_uint_t         status;
    size_t             len;
    u_char             body[NGX_TORII_ECHO_BODY];
    int                family;           /* 0: it told no address */
    char               address[INET6_ADDRSTRLEN];
} ngx_torii_echo_server_t;


typedef struct {
    int                family;
    char               known[INET6_ADDRSTRLEN];    /* "": not yet */
    char               other[INET6_ADDRSTRLEN];    /* said instead … */
    uint64_t           since;            /* … since then */
} ngx_torii_echo_family_t;


struct ngx_torii_echo_s {
    ngx_torii_helper_t       *helper;
    ngx_torii_curl_t         *curl;
    ngx_torii_echo_server_t   servers[NGX_HTTP_TORII_ECHO_MAX];
    ngx_uint_t                n;
    ngx_uint_t                asking;    /* answers that are to come */
    ngx_torii_echo_family_t   families[2];
    uint64_t                  asked;     /* ms */
    uint64_t                  due;       /* the next round */
    uint64_t                  look;      /* at interfaces */
    uint64_t                  interfaces;   /* hash of their addresses */

    ngx_torii_interface_changed_pt   changed;
    void                            *data;
    ngx_torii_interface_watch_t      watch;

    unsigned                  told:1;    /* that they do not agree */
};


static void ngx_torii_echo_changed(void *data);
static void ngx_torii_echo_interfaces(ngx_torii_echo_t *e, uint64_t now);
static void ngx_torii_echo_visit(void *data, int family,
    const u_char *address);
static void ngx_torii_echo_ask(ngx_torii_echo_t *e, uint64_t now);
static ngx_int_t ngx_torii_echo_head(void *data, ngx_uint_t status,
    ngx_str_t *content_type, ngx_uint_t retry_after);
static ngx_int_t ngx_torii_echo_body(void *data, u_char *p, size_t len);
static void ngx_torii_echo_done(void *data, const char *error);
static const char *ngx_torii_echo_parse(ngx_torii_echo_server_t *server);
static ngx_uint_t ngx_torii_echo_global(int family, const u_char *p);
static void ngx_torii_echo_failed(ngx_torii_echo_server_t *server,
    const char *error);
static void ngx_torii_echo_count(ngx_torii_echo_t *e);
static const char *ngx_torii_echo_agreed(ngx_torii_echo_t *e, int family);
static void ngx_torii_echo_settle(ngx_torii_echo_t *e,
    ngx_torii_echo_family_t *f, const char *address, uint64_t now);


static const torii_tree_limits_t  ngx_torii_echo_limits = {
    NGX_TORII_ECHO_BODY, 64, 4
};


/* Nobody outside reaches these (IANA's registry of special addresses). */

static const struct {
    u_char  net[4];
    u_char  bits;
} ngx_torii_echo_special[] = {
    { { 0, 0, 0, 0 }, 8 },
    { { 10, 0, 0, 0 }, 8 },
    { { 100, 64, 0, 0 }, 10 },
    { { 127, 0, 0, 0 }, 8 },
    { { 169, 254, 0, 0 }, 16 },
    { { 172, 16, 0, 0 }, 12 },
    { { 192, 0, 0, 0 }, 24 },
    { { 192, 0, 2, 0 }, 24 },
    { { 192, 168, 0, 0 }, 16 },
    { { 198, 18, 0, 0 }, 15 },
    { { 198, 51, 100, 0 }, 24 },
    { { 203, 0, 113, 0 }, 24 },
    { { 224, 0, 0, 0 }, 3 }
};


ngx_torii_echo_t *
ngx_torii_echo_create(ngx_torii_helper_t *h,
    ngx_torii_interface_changed_pt changed, void *data)
{
    ngx_str_t         *url;
    ngx_uint_t         i;
    ngx_array_t       *urls;
    ngx_torii_echo_t  *e;

    e = ngx_pcalloc(h->pool, sizeof(ngx_torii_echo_t));
    if (e == NULL) {
        return NULL;
    }

    e->helper = h;
    e->changed = changed;
    e->data = data;
    e->watch.changed = ngx_torii_echo_changed;
    e->watch.data = e;
    e->watch.log = h->log;
    e->families[0].family = AF_INET;
    e->families[1].family = AF_INET6;

    urls = h->tmcf->kubernetes.addresses;
    url = urls->elts;
    e->n = ngx_min(urls->nelts, NGX_HTTP_TORII_ECHO_MAX);

    for (i = 0; i < e->n; i++) {
        e->servers[i].echo = e;
        e->servers[i].url = (char *) url[i].data;
    }

    return e;
}


ngx_uint_t
ngx_torii_echo_get(ngx_torii_echo_t *e, uint64_t now,
    ingress_address_t *addresses, ngx_uint_t max, uint32_t *wait)
{
    ngx_uint_t                i, n;
    ngx_torii_echo_family_t  *f;

    if (now >= e->look) {
        ngx_torii_echo_interfaces(e, now);
    }

    if (now >= e->due && e->asking == 0) {
        ngx_torii_echo_ask(e, now);
    }

    /* the last answer says that it has come */

    *wait = e->look - now;

    if (e->asking == 0) {
        *wait = ngx_min(*wait, e->due - now);
    }

    for (i = 0, n = 0; i < 2 && n < max; i++) {
        f = &e->families[i];

        if (f->known[0]) {
            addresses[n].address = torii_str(f->known);
            addresses[n++].hostname = 0;
        }
    }

    return n;
}


static void
ngx_torii_echo_changed(void *data)
{
    ngx_torii_echo_t *e = data;

    e->look = 0;
    e->changed(e->data);
}


static void
ngx_torii_echo_interfaces(ngx_torii_echo_t *e, uint64_t now)
{
    uint64_t  hash;

    hash = 1;
    e->look = now + (ngx_torii_interface_watch(&e->watch) == NGX_OK
                     ? NGX_TORII_ECHO_LOOK : NGX_TORII_ECHO_BLIND);

    if (ngx_torii_interface_each(NULL, ngx_torii_echo_visit, &hash)
        != NGX_OK)
    {
        return;
    }

    if (e->interfaces && hash != e->interfaces) {
        e->due = ngx_min(e->due, e->asked + NGX_TORII_ECHO_SOON);
    }

    e->interfaces = hash;
}


static void
ngx_torii_echo_visit(void *data, int family, const u_char *address)
{
    uint64_t *hash = data;

    *hash = torii_hash(address, family == AF_INET ? 4 : 16, *hash);
}


static void
ngx_torii_echo_ask(ngx_torii_echo_t *e, uint64_t now)
{
    ngx_uint_t                  i;
    ngx_torii_echo_server_t    *server;
    ngx_torii_curl_request_t    req;
    ngx_torii_curl_handlers_t   handlers;

    e->asked = now;
    e->due = now + NGX_TORII_ECHO_EVERY;

    if (e->curl == NULL) {
        e->curl = ngx_torii_curl_create(e->helper->pool, e->helper->log);

        if (e->curl == NULL) {
            return;
        }
    }

    ngx_memzero(&req, sizeof(ngx_torii_curl_request_t));
    ngx_memzero(&handlers, sizeof(ngx_torii_curl_handlers_t));

    req.method = "GET";
    req.timeout = NGX_TORII_ECHO_TIMEOUT;
    handlers.head = ngx_torii_echo_head;
    handlers.body = ngx_torii_echo_body;
    handlers.done = ngx_torii_echo_done;

    e->asking = e->n;

    for (i = 0; i < e->n; i++) {
        server = &e->servers[i];

        server->status = 0;
        server->family = 0;
        server->len = 0;

        req.url = server->url;
        handlers.data = server;

        if (ngx_torii_curl_start(e->curl, &req, &handlers) == NULL) {
            ngx_torii_echo_count(e);
        }
    }
}


static ngx_int_t
ngx_torii_echo_head(void *data, ngx_uint_t status, ngx_str_t *content_type,
    ngx_uint_t retry_after)
{
    ngx_torii_echo_server_t *server = data;

    server->status = status;

    return NGX_OK;
}


static ngx_int_t
ngx_torii_echo_body(void *data, u_char *p, size_t len)
{
    ngx_torii_echo_server_t *server = data;

    if (len > NGX_TORII_ECHO_BODY - server->len) {
        ngx_torii_echo_failed(server, "the answer is too large");
        ngx_torii_echo_count(server->echo);
        return NGX_ERROR;
    }

    ngx_memcpy(server->body + server->len, p, len);
    server->len += len;

    return NGX_OK;
}


static void
ngx_torii_echo_done(void *data, const char *error)
{
    ngx_torii_echo_server_t *server = data;

    if (error == NULL && server->status != 200) {
        error = "the status is not 200";
    }

    if (error == NULL) {
        error = ngx_torii_echo_parse(server);
    }

    if (error) {
        ngx_torii_echo_failed(server, error);
    }

    ngx_torii_echo_count(server->echo);
}


/* The address alone, or {"ip": …}. */

static const char *
ngx_torii_echo_parse(ngx_torii_echo_server_t *server)
{
    int                  family;
    char                 text[INET6_ADDRSTRLEN];
    u_char               p[16];
    const char          *error;
    torii_str_t          body;
    torii_node_t        *doc;
    torii_arena_t       *arena;
    const torii_node_t  *ip;
    torii_tree_error_t   failure;

    body.data = server->body;
    body.len = server->len;
    body = torii_str_trim(body);

    arena = torii_arena_create(1024);
    error = NULL;

    if (body.len && body.data[0] == '{') {
        ip = NULL;

        if (torii_tree_json(arena, body, &ngx_torii_echo_limits, &doc,
                            &failure)
            == TORII_OK)
        {
            ip = torii_node_get(doc, "ip");
        }

        body.len = 0;

        if (ip && ip->type == TORII_NODE_STRING) {
            body = ip->text;
        }
    }

    if (body.len == 0 || body.len >= sizeof(text)) {
        error = "the answer is no address";

    } else {
        ngx_memcpy(text, body.data, body.len);
        text[body.len] = '\0';

        family = ngx_strlchr(body.data, body.data + body.len, ':')
                 ? AF_INET6 : AF_INET;

        if (ngx_strlen(text) != body.len || inet_pton(family, text, p) != 1) {
            error = "the answer is no address";

        } else if (!ngx_torii_echo_global(family, p)) {
            error = "the answer is no public address";

        } else {
            server->family = family;
            (void) inet_ntop(family, p, server->address, INET6_ADDRSTRLEN);
        }
    }

    torii_arena_destroy(arena);

    return error;
}


/* Of IPv6, 2000::/3 without 2001::/23 (RFC 2928), 2001:db8::/32, 2002::/16
   and 3fff::/20 (RFC 9637). */

static ngx_uint_t
ngx_torii_echo_global(int family, const u_char *p)
{
    uint32_t    a, net, mask;
    ngx_uint_t  i, n;

    a = (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];

    if (family == AF_INET6) {
        return (a >> 29) == 1 && (a >> 9) != (0x20010000 >> 9)
               && a != 0x20010db8 && (a >> 16) != 0x2002
               && (a >> 12) != (0x3fff0000 >> 12);
    }

    n = sizeof(ngx_torii_echo_special) / sizeof(ngx_torii_echo_special[0]);

    for (i = 0; i < n; i++) {
        p = ngx_torii_echo_special[i].net;

        net = (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
        mask = UINT32_MAX << (32 - ngx_torii_echo_special[i].bits);

        if ((a & mask) == net) {
            return 0;
        }
    }

    return 1;
}


static void
ngx_torii_echo_failed(ngx_torii_echo_server_t *server, const char *error)
{
    server->family = 0;

    ngx_log_error(NGX_LOG_INFO, server->echo->helper->log, 0,
                  "torii: \"%s\" does not tell the gateway's address: %s",
                  server->url, error);
}


/* The last answer of a round. */

static void
ngx_torii_echo_count(ngx_torii_echo_t *e)
{
    uint64_t     now;
    ngx_uint_t   i, agreed;
    const char  *address;

    if (--e->asking) {
        return;
    }

    now = ngx_torii_publish_us() / 1000;
    agreed = 0;

    for (i = 0; i < 2; i++) {
        address = ngx_torii_echo_agreed(e, e->families[i].family);
        agreed |= (address != NULL);

        ngx_torii_echo_settle(e, &e->families[i], address, now);
    }

    if (e->families[0].known[0] == '\0' && e->families[1].known[0] == '\0') {
        e->due = ngx_min(e->due, now + NGX_TORII_ECHO_STEADY);
    }

    if (!agreed && !e->told) {
        ngx_log_error(NGX_LOG_WARN, e->helper->log, 0,
                      "torii: no two servers of \"torii_publish echo\" agree "
                      "upon the gateway's address, what is known stays");
    }

    e->told = !agreed;
    e->changed(e->data);
}


/* NULL: none was said twice, or two were. */

static const char *
ngx_torii_echo_agreed(ngx_torii_echo_t *e, int family)
{
    ngx_uint_t                i, j, n;
    const char               *agreed;
    ngx_torii_echo_server_t  *server;

    agreed = NULL;
    server = e->servers;

    for (i = 0; i < e->n; i++) {

        if (server[i].family != family) {
            continue;
        }

        for (j = 0, n = 0; j < e->n; j++) {
            n += server[j].family == family
                 && ngx_strcmp(server[j].address, server[i].address) == 0;
        }

        if (n < NGX_TORII_ECHO_VOTES) {
            continue;
        }

        if (agreed && ngx_strcmp(agreed, server[i].address) != 0) {
            return NULL;
        }

        agreed = server[i].address;
    }

    return agreed;
}


static void
ngx_torii_echo_settle(ngx_torii_echo_t *e, ngx_torii_echo_family_t *f,
    const char *address, uint64_t now)
{
    if (address == NULL || ngx_strcmp(address, f->known) == 0) {
        f->other[0] = '\0';
        return;
    }

    if (f->known[0] && ngx_strcmp(address, f->other) != 0) {
        (void) ngx_cpystrn((u_char *) f->other, (u_char *) address,
                           INET6_ADDRSTRLEN);
        f->since = now;
    }

    if (f->known[0] && now - f->since < NGX_TORII_ECHO_STEADY) {
        e->due = ngx_min(e->due, f->since + NGX_TORII_ECHO_STEADY);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, e->helper->log, 0,
                  "torii: the gateway's public address is %s%s%s", address,
                  f->known[0] ? ", not " : "", f->known);

    (void) ngx_cpystrn((u_char *) f->known, (u_char *) address,
                       INET6_ADDRSTRLEN);
    f->other[0] = '\0';
}
