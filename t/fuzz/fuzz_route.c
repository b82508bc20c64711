
/*
 * The lookup against its definition, said plainly: a scan over all rows.
 * Input, one line each: host, uri, then rows of a host's index (0 to 3), a type
 * ('=', '/', 'n' or '~'), and a path.
 */

#include <stdio.h>

#include "table_make.h"
#include "ingress_route.h"


#define FUZZ_ROWS   64
#define FUZZ_HOSTS  4


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const char *const  fuzz_hosts[FUZZ_HOSTS] = {
    "_", "a.example", "*.example", "b.a.example"
};


static int
fuzz_row_add(table_row_t *rows, uint32_t n, int host, char type, char *path)
{
    uint32_t  i;
    size_t    len;

    len = strlen(path);

    if (type != '=' && type != '/' && type != 'n' && type != '~') {
        return 0;
    }

    if (type == '/' && (len == 0 || path[len - 1] != '/')) {
        return 0;
    }

    /* a name is of one host, and a path comes once in a list */

    for (i = 0; i < n; i++) {

        if (rows[i].type == type && strcmp(rows[i].path, path) == 0
            && (type == 'n' || rows[i].host == fuzz_hosts[host]))
        {
            return 0;
        }
    }

    for (i = 0; type == 'n' && i < FUZZ_HOSTS; i++) {
        if (path[0] == '\0' || strcmp(fuzz_hosts[i], path) == 0) {
            return 0;
        }
    }

    rows[n].host = fuzz_hosts[host];
    rows[n].type = type;
    rows[n].path = path;
    rows[n].target = NULL;

    return 1;
}


static int
fuzz_host_is(const char *name, const char *host)
{
    size_t       len;
    const char  *dot;

    static const char  label[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

    if (host[0] == '*') {
        return 0;
    }

    if (strcmp(name, host) == 0) {
        return 2;
    }

    dot = strchr(host, '.');
    if (name[0] != '*' || dot == NULL || strcmp(name + 1, dot) != 0) {
        return 0;
    }

    len = dot - host;

    return len > 0 && strspn(host, label) == len;
}


static const char *
fuzz_host(const table_row_t *rows, uint32_t n, const char *host)
{
    int          best, is;
    uint32_t     i;
    const char  *found;

    best = 0;
    found = "_";

    for (i = 0; i < n; i++) {
        is = fuzz_host_is(rows[i].host, host);

        if (is < 2 && rows[i].type == 'n') {
            is |= fuzz_host_is(rows[i].path, host);
        }

        if (is > best) {
            best = is;
            found = rows[i].host;
        }
    }

    return found;
}


/* The row that answers, -1 if none does; *slash: by a redirect. */

static int
fuzz_static(const table_row_t *rows, uint32_t n, const char *host,
    const char *uri, int *slash)
{
    int       found;
    size_t    len, best, ulen;
    uint32_t  i;

    found = -1;
    best = 0;
    ulen = strlen(uri);
    *slash = 0;

    for (i = 0; i < n; i++) {
        if (strcmp(rows[i].host, host) == 0 && rows[i].type == '='
            && strcmp(rows[i].path, uri) == 0)
        {
            return i;
        }
    }

    for (i = 0; i < n; i++) {
        len = strlen(rows[i].path);

        if (strcmp(rows[i].host, host) != 0
            || (rows[i].type != '=' && rows[i].type != '/'))
        {
            continue;
        }

        if (ulen && uri[ulen - 1] != '/' && len == ulen + 1
            && rows[i].path[ulen] == '/'
            && memcmp(rows[i].path, uri, ulen) == 0)
        {
            if (*slash == 0 || rows[i].type == '=') {
                *slash = 1;
                found = i;
            }

            continue;
        }

        if (*slash == 0 && rows[i].type == '/' && len > best && len <= ulen
            && memcmp(rows[i].path, uri, len) == 0)
        {
            best = len;
            found = i;
        }
    }

    return found;
}


static int
fuzz_regex(torii_regex_cache_t *regexes, const table_row_t *rows, uint32_t n,
    const char *host, const char *uri, int *failed)
{
    int             rc;
    uint32_t        i;
    torii_str_t     captures[TORII_REGEX_CAPTURES];
    torii_regex_t  *re;

    *failed = 0;

    for (i = 0; i < n; i++) {
        if (strcmp(rows[i].host, host) != 0 || rows[i].type != '~') {
            continue;
        }

        re = torii_regex_get(regexes, torii_str(rows[i].path),
                             TORII_REGEX_CASELESS | TORII_REGEX_ANCHORED);

        rc = re ? torii_regex_match(re, torii_str(uri), captures) : TORII_ERROR;

        if (rc == TORII_OK) {
            return i;
        }

        if (rc == TORII_ERROR) {
            *failed = 1;
            return -1;
        }
    }

    return -1;
}


static void
fuzz_compare(const table_row_t *rows, uint32_t n, const char *host,
    const char *uri)
{
    int              row, slash, failed, found;
    char             error[128];
    const char      *name;
    torii_buf_t      out;
    ingress_match_t  match;
    ingress_table_t  t;

    static torii_regex_cache_t  *regexes;

    if (regexes == NULL) {
        regexes = torii_regex_cache_create(256);
    }

    table_make(rows, 0, &out);

    if (ingress_table_check(&t, out.data, out.len, error) != TORII_OK) {
        fprintf(stderr, "the table is not sound: %s\n", error);
        abort();
    }

    ingress_route_find(&t, regexes, torii_str(host), torii_str(uri), &match);

    name = fuzz_host(rows, n, host);
    slash = 0;
    failed = 0;

    if (match.host->flags & INGRESS_HOST_REGEX) {
        row = fuzz_regex(regexes, rows, n, name, uri, &failed);

    } else {
        row = fuzz_static(rows, n, name, uri, &slash);
    }

    found = match.route ? (int) (match.route - t.routes) : -1;

    if (!torii_str_eqs(ingress_table_str(&t, match.host->name), name)
        || found != row || match.slash != slash || match.failed != failed)
    {
        fprintf(stderr, "\"%s\" \"%s\": host \"%s\", row %d, slash %d; found "
                "row %d, slash %d, failed %d\n", host, uri, name, row, slash,
                found, match.slash, match.failed);
        abort();
    }

    torii_buf_free(&out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int          host;
    char        *text, *line, *rest, *name, *uri;
    uint32_t     i, k, n;
    table_row_t  sorted[FUZZ_ROWS + FUZZ_HOSTS + 1], rows[FUZZ_ROWS];

    text = torii_malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';

    rest = text;
    name = strsep(&rest, "\n");
    uri = strsep(&rest, "\n");
    n = 0;

    while ((line = strsep(&rest, "\n")) != NULL && n < FUZZ_ROWS) {

        host = line[0] - '0';

        if (host >= 0 && host < FUZZ_HOSTS && line[1]) {
            n += fuzz_row_add(rows, n, host, line[1], line + 2);
        }
    }

    /* the rows of a host stand together, and "_" is always there */

    memset(sorted, 0, sizeof(sorted));

    k = 0;

    sorted[k].host = fuzz_hosts[0];
    sorted[k].type = '-';
    sorted[k].path = "";
    k++;

    for (host = 0; host < FUZZ_HOSTS; host++) {
        for (i = 0; i < n; i++) {
            if (rows[i].host == fuzz_hosts[host]) {
                sorted[k++] = rows[i];
            }
        }
    }

    if (uri) {
        fuzz_compare(sorted, k, name, uri);
    }

    free(text);

    return 0;
}
