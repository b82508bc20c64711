
/*
 * The lookup: host by hash, path by binary search, or regexes in order.  The
 * table was checked when it was opened, so nothing is checked here.
 */

#include "ingress_route.h"


/* Longer names are none: RFC 1035 allows 253 bytes. */

#define INGRESS_ROUTE_NAME  256


static const ingress_table_host_t *ingress_route_host_find(
    const ingress_table_t *t, torii_regex_cache_t *regexes, torii_str_t host,
    unsigned *failed);
static const ingress_table_host_t *ingress_route_host_wildcard(
    const ingress_table_t *t, torii_str_t host);
static const ingress_table_host_t *ingress_route_host_alias(
    const ingress_table_t *t, torii_regex_cache_t *regexes, torii_str_t host,
    unsigned *failed);
static const ingress_table_path_t *ingress_route_regex(
    const ingress_table_t *t, torii_regex_cache_t *regexes,
    const ingress_table_host_t *host, torii_str_t uri, unsigned *failed);
static const ingress_table_path_t *ingress_route_equal(
    const ingress_table_t *t, uint32_t first, uint32_t n, torii_str_t uri,
    unsigned slash);
static const ingress_table_path_t *ingress_route_slash(
    const ingress_table_t *t, const ingress_table_host_t *host,
    torii_str_t uri);
static const ingress_table_path_t *ingress_route_prefix(
    const ingress_table_t *t, const ingress_table_host_t *host,
    torii_str_t uri);
static uint32_t ingress_route_bound(const ingress_table_t *t, uint32_t first,
    uint32_t n, torii_str_t uri, unsigned slash);
static int ingress_route_cmp(torii_str_t text, torii_str_t uri,
    unsigned slash);


void
ingress_route_find(const ingress_table_t *t, torii_regex_cache_t *regexes,
    torii_str_t host, torii_str_t uri, ingress_match_t *match)
{
    unsigned                     failed;
    const ingress_table_host_t  *h;
    const ingress_table_path_t  *path;

    memset(match, 0, sizeof(ingress_match_t));

    torii_regex_begin(regexes);

    failed = 0;

    h = ingress_route_host_find(t, regexes, host, &failed);
    match->host = h;

    if (failed) {
        match->failed = 1;
        return;
    }

    if (h->flags & INGRESS_HOST_REGEX) {
        path = ingress_route_regex(t, regexes, h, uri, &failed);
        match->failed = failed;

    } else {
        path = ingress_route_equal(t, h->exact, h->nexact, uri, 0);

        if (path == NULL) {
            path = ingress_route_slash(t, h, uri);
            match->slash = (path != NULL);
        }

        if (path == NULL) {
            path = ingress_route_prefix(t, h, uri);
        }
    }

    if (path) {
        match->path = path;
        match->route = &t->routes[path->route];
    }
}


const ingress_table_host_t *
ingress_route_host(const ingress_table_t *t, torii_regex_cache_t *regexes,
    torii_str_t host)
{
    unsigned  failed;

    torii_regex_begin(regexes);

    return ingress_route_host_find(t, regexes, host, &failed);
}


static const ingress_table_host_t *
ingress_route_host_find(const ingress_table_t *t, torii_regex_cache_t *regexes,
    torii_str_t host, unsigned *failed)
{
    const ingress_table_host_t  *h;

    /* "*" is no byte of a host, and must not find the wildcard by its name */

    if (host.len && host.data[0] != '*') {

        h = ingress_route_name(t, host);
        if (h) {
            return h;
        }

        h = ingress_route_host_wildcard(t, host);
        if (h) {
            return h;
        }

        h = ingress_route_host_alias(t, regexes, host, failed);
        if (h) {
            return h;
        }
    }

    return &t->hosts[t->header->default_host];
}


const ingress_table_host_t *
ingress_route_name(const ingress_table_t *t, torii_str_t name)
{
    uint32_t                     i, mask, hash;
    const ingress_table_name_t  *found;

    hash = (uint32_t) torii_hash(name.data, name.len, 0);
    mask = ingress_table_n(t, BUCKETS) - 1;

    for (i = hash & mask; t->buckets[i]; i = (i + 1) & mask) {
        found = &t->names[t->buckets[i] - 1];

        if (found->hash != hash) {
            continue;
        }

        /* what is compared and what is returned are far apart in memory */

        __builtin_prefetch(&t->hosts[found->host]);

        if (found->name.len == name.len
            && memcmp(t->pool + found->name.off, name.data, name.len) == 0)
        {
            return &t->hosts[found->host];
        }
    }

    return NULL;
}


/* The label that "*" stands for is of letters, digits, "-" and "_". */

static const ingress_table_host_t *
ingress_route_host_wildcard(const ingress_table_t *t, torii_str_t host)
{
    size_t         i;
    torii_str_t    name;
    unsigned char  c, wildcard[INGRESS_ROUTE_NAME];

    for (i = 0; i < host.len && host.data[i] != '.'; i++) {
        c = host.data[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')
            && c != '-' && c != '_')
        {
            return NULL;
        }
    }

    if (i == 0 || i == host.len || host.len - i >= INGRESS_ROUTE_NAME) {
        return NULL;
    }

    wildcard[0] = '*';
    memcpy(wildcard + 1, host.data + i, host.len - i);

    name.data = wildcard;
    name.len = host.len - i + 1;

    return ingress_route_name(t, name);
}


static const ingress_table_host_t *
ingress_route_host_alias(const ingress_table_t *t,
    torii_regex_cache_t *regexes, torii_str_t host, unsigned *failed)
{
    int                           rc;
    uint32_t                      i, n;
    torii_str_t                   captures[TORII_REGEX_CAPTURES];
    torii_regex_t                *re;
    const ingress_table_alias_t  *alias;

    n = ingress_table_n(t, ALIASES);

    for (i = 0; i < n; i++) {
        alias = &t->aliases[i];

        re = torii_regex_get(regexes, ingress_table_str(t, alias->pattern),
                             TORII_REGEX_CASELESS);

        rc = re ? torii_regex_match(re, host, captures) : TORII_ERROR;

        if (rc == TORII_OK) {
            return &t->hosts[alias->host];
        }

        if (rc == TORII_ERROR) {
            *failed = 1;
            return NULL;
        }
    }

    return NULL;
}


/*
 * A regex that fails is not passed over: a later path, which might be open to
 * everybody, would take the request.
 */

static const ingress_table_path_t *
ingress_route_regex(const ingress_table_t *t, torii_regex_cache_t *regexes,
    const ingress_table_host_t *host, torii_str_t uri, unsigned *failed)
{
    int                          rc;
    uint32_t                     i;
    torii_str_t                  captures[TORII_REGEX_CAPTURES];
    torii_regex_t               *re;
    const ingress_table_path_t  *path;

    for (i = 0; i < host->nprefix; i++) {
        path = &t->paths[host->prefix + i];

        re = torii_regex_get(regexes, ingress_table_str(t, path->text),
                             TORII_REGEX_CASELESS | TORII_REGEX_ANCHORED);

        rc = re ? torii_regex_match(re, uri, captures) : TORII_ERROR;

        if (rc == TORII_OK) {
            return path;
        }

        if (rc == TORII_ERROR) {
            *failed = 1;
            return NULL;
        }
    }

    return NULL;
}


/* The path that is uri, or uri + "/". */

static const ingress_table_path_t *
ingress_route_equal(const ingress_table_t *t, uint32_t first, uint32_t n,
    torii_str_t uri, unsigned slash)
{
    torii_str_t  text;

    n = ingress_route_bound(t, first, n, uri, slash);
    if (n == 0) {
        return NULL;
    }

    text = ingress_table_str(t, t->paths[first + n - 1].text);

    if (ingress_route_cmp(text, uri, slash) != 0) {
        return NULL;
    }

    return &t->paths[first + n - 1];
}


static const ingress_table_path_t *
ingress_route_slash(const ingress_table_t *t, const ingress_table_host_t *host,
    torii_str_t uri)
{
    const ingress_table_path_t  *path;

    if (uri.len == 0 || uri.data[uri.len - 1] == '/') {
        return NULL;
    }

    path = ingress_route_equal(t, host->exact, host->nexact, uri, 1);
    if (path) {
        return path;
    }

    return ingress_route_equal(t, host->prefix, host->nprefix, uri, 1);
}


/*
 * Every prefix of uri sorts before uri, and whatever sorts between the longest
 * one and uri starts with it: so the last path that is not behind uri is that
 * prefix, or leads to it over its parents.
 */

static const ingress_table_path_t *
ingress_route_prefix(const ingress_table_t *t, const ingress_table_host_t *host,
    torii_str_t uri)
{
    size_t                       n, max;
    uint32_t                     i;
    torii_str_t                  text;
    const ingress_table_path_t  *path;

    i = ingress_route_bound(t, host->prefix, host->nprefix, uri, 0);
    if (i == 0) {
        return NULL;
    }

    path = &t->paths[host->prefix + i - 1];
    text = ingress_table_str(t, path->text);

    max = text.len < uri.len ? text.len : uri.len;

    for (n = 0; n < max && text.data[n] == uri.data[n]; n++) { /* void */ }

    while (path->text.len > n) {

        if (path->parent == INGRESS_NONE) {
            return NULL;
        }

        path = &t->paths[path->parent];
    }

    return path;
}


/* How many of n sorted paths are not behind uri, or uri + "/". */

static uint32_t
ingress_route_bound(const ingress_table_t *t, uint32_t first, uint32_t n,
    torii_str_t uri, unsigned slash)
{
    uint32_t                     low, high, middle;
    const ingress_table_path_t  *path;

    path = t->paths + first;

    low = 0;
    high = n;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (ingress_route_cmp(ingress_table_str(t, path[middle].text), uri,
                              slash)
            <= 0)
        {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


/* As torii_str_cmp(), which knows no second string of two pieces. */

static int
ingress_route_cmp(torii_str_t text, torii_str_t uri, unsigned slash)
{
    int     rc;
    size_t  len;

    len = text.len < uri.len ? text.len : uri.len;

    rc = len ? memcmp(text.data, uri.data, len) : 0;
    if (rc != 0) {
        return rc;
    }

    if (!slash) {
        return (text.len > uri.len) - (text.len < uri.len);
    }

    if (text.len <= uri.len) {
        return -1;
    }

    rc = text.data[len] - '/';

    return rc ? rc : text.len > uri.len + 1;
}


/*
 * What "rewrite PATH TARGET break" did in nginx, with (?i) before PATH: a match
 * anywhere in the uri replaces all of it.  A target equal to the path asks for
 * nothing.
 */

int
ingress_route_rewrite(const ingress_table_t *t, torii_regex_cache_t *regexes,
    const ingress_match_t *match, torii_str_t uri, unsigned char *buf,
    size_t size, torii_str_t *out)
{
    int             rc;
    size_t          i;
    torii_str_t     piece, target, text, captures[TORII_REGEX_CAPTURES];
    unsigned char  *p, *last;
    torii_regex_t  *re;

    target = ingress_table_str(t,
                          t->policies[match->route->policy].rewrite_target);
    text = ingress_table_str(t, match->path->text);

    if (target.len == 0 || torii_str_eq(target, text)) {
        return TORII_DECLINED;
    }

    re = torii_regex_get(regexes, text, TORII_REGEX_CASELESS);
    if (re == NULL) {
        return TORII_ERROR;
    }

    torii_regex_begin(regexes);

    rc = torii_regex_match(re, uri, captures);
    if (rc != TORII_OK) {
        return rc;
    }

    p = buf;
    last = buf + size;

    for (i = 0; i < target.len; i++) {

        piece.data = target.data + i;
        piece.len = 1;

        if (target.data[i] == '$' && i + 1 < target.len
            && target.data[i + 1] >= '1' && target.data[i + 1] <= '9')
        {
            piece = captures[target.data[++i] - '0'];
        }

        if (piece.len > (size_t) (last - p)) {
            return TORII_ERROR;
        }

        if (piece.len) {
            memcpy(p, piece.data, piece.len);
            p += piece.len;
        }
    }

    out->data = buf;
    out->len = p - buf;

    return TORII_OK;
}
