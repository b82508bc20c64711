
/*
 * Cookies.
 */

#include "oauth2_cookie.h"


#define OAUTH2_NAME_MAX    64
#define OAUTH2_STATE_MARK  ".s."


static int
oauth2_cookie_token(torii_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] <= 0x20 || s.data[i] >= 0x7f
            || memchr("()<>@,;:\\\"/[]?={}", s.data[i], 17))
        {
            return 0;
        }
    }

    return s.len != 0 && s.len <= OAUTH2_NAME_MAX;
}


static int
oauth2_cookie_attribute(torii_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] <= 0x20 || s.data[i] >= 0x7f || s.data[i] == ';'
            || s.data[i] == ',')
        {
            return 0;
        }
    }

    return 1;
}


const char *
oauth2_cookie_check(const oauth2_cookie_t *conf)
{
    int  host;

    if (!oauth2_cookie_token(conf->name)) {
        return "is no name of a cookie";
    }

    if (!oauth2_cookie_attribute(conf->domain)
        || !oauth2_cookie_attribute(conf->path)
        || !torii_str_starts(conf->path, "/"))
    {
        return "has a domain or path that cannot be one";
    }

    host = torii_str_starts(conf->name, "__Host-");

    if (host && (!conf->secure || conf->domain.len
                 || !torii_str_eqs(conf->path, "/")))
    {
        return "begins with \"__Host-\" and is not secure, has a domain or a "
               "path";
    }

    if (torii_str_starts(conf->name, "__Secure-") && !conf->secure) {
        return "begins with \"__Secure-\" and is not secure";
    }

    if (strcmp(conf->same_site, "None") == 0 && !conf->secure) {
        return "is for other sites and not secure";
    }

    return NULL;
}


/*
 * Up to the delimiter, which goes; 0: there is none, and all of it is taken.
 * Cookies are long, and this is done for each request: memchr() it is.
 */

static int
oauth2_cookie_cut(torii_str_t *rest, int delim, torii_str_t *piece)
{
    unsigned char  *p;

    *piece = *rest;

    p = rest->len ? memchr(rest->data, delim, rest->len) : NULL;

    if (p == NULL) {
        rest->data += rest->len;
        rest->len = 0;
        return 0;
    }

    piece->len = p - rest->data;

    rest->len -= piece->len + 1;
    rest->data = p + 1;

    return 1;
}


/* RFC 6265 section 4.2.1, with the blanks that browsers may leave out. */

static int
oauth2_cookie_next(torii_str_t *line, torii_str_t *name, torii_str_t *value)
{
    torii_str_t  pair;

    while (line->len) {

        (void) oauth2_cookie_cut(line, ';', &pair);

        *value = torii_str_trim(pair);

        if (oauth2_cookie_cut(value, '=', name)) {
            return 1;
        }
    }

    return 0;
}


/* Which piece of the cookie this name is: 0, 1, 2; -1: none. */

static int
oauth2_cookie_piece(torii_str_t name, torii_str_t base)
{
    if (name.len < base.len || memcmp(name.data, base.data, base.len) != 0) {
        return -1;
    }

    if (name.len == base.len) {
        return 0;
    }

    if (name.len == base.len + 2 && name.data[base.len] == '.'
        && name.data[base.len + 1] >= '1'
        && name.data[base.len + 1] < '0' + OAUTH2_PIECES_MAX)
    {
        return name.data[base.len + 1] - '0';
    }

    return -1;
}


void
oauth2_cookie_find(torii_str_t line, torii_str_t name, oauth2_found_t *found)
{
    int          i;
    torii_str_t  key, value;

    memset(found->n, 0, sizeof(found->n));

    while (oauth2_cookie_next(&line, &key, &value)) {

        i = oauth2_cookie_piece(key, name);

        /* one more than is looked at, so that it counts as too many */

        if (i >= 0 && found->n[i] <= OAUTH2_COOKIE_SAME) {

            if (found->n[i] < OAUTH2_COOKIE_SAME) {
                found->values[i][found->n[i]] = value;
            }

            found->n[i]++;
        }
    }
}


oauth2_fail_e
oauth2_cookie_join(const oauth2_found_t *found, uint32_t i,
    unsigned char *room, torii_str_t *value)
{
    uint32_t     k, pieces;
    torii_str_t  first, piece;

    first = found->values[0][i];
    pieces = oauth2_seal_pieces(first);

    if (pieces == 0) {
        return OAUTH2_SESSION_FORM;
    }

    if (pieces == 1) {
        *value = first;
        return OAUTH2_OK;
    }

    if (found->n[0] != 1) {
        return OAUTH2_SESSION_TWICE;
    }

    value->data = room;
    value->len = 0;

    for (k = 0; k < pieces; k++) {

        if (found->n[k] != 1) {
            return found->n[k] ? OAUTH2_SESSION_TWICE : OAUTH2_SESSION_FORM;
        }

        piece = found->values[k][0];

        if (piece.len == 0 || piece.len > OAUTH2_PIECE
            || (k + 1 < pieces && piece.len != OAUTH2_PIECE))
        {
            return OAUTH2_SESSION_FORM;
        }

        memcpy(room + value->len, piece.data, piece.len);
        value->len += piece.len;
    }

    return OAUTH2_OK;
}


static int
oauth2_cookie_ours(torii_str_t name, const torii_str_t *names, uint32_t n)
{
    uint32_t     i;
    torii_str_t  rest;

    for (i = 0; i < n; i++) {

        if (oauth2_cookie_piece(name, names[i]) >= 0) {
            return 1;
        }

        if (name.len > names[i].len
            && memcmp(name.data, names[i].data, names[i].len) == 0)
        {
            rest.data = name.data + names[i].len;
            rest.len = name.len - names[i].len;

            if (torii_str_starts(rest, OAUTH2_STATE_MARK)) {
                return 1;
            }
        }
    }

    return 0;
}


int
oauth2_cookie_strip(torii_str_t line, const torii_str_t *names, uint32_t n,
    torii_buf_t *out)
{
    int          cut;
    size_t       start;
    torii_str_t  pair, name, value;

    cut = 0;
    start = out->len;

    while (line.len) {

        (void) oauth2_cookie_cut(&line, ';', &pair);

        pair = torii_str_trim(pair);
        value = pair;
        (void) oauth2_cookie_cut(&value, '=', &name);

        if (oauth2_cookie_ours(torii_str_trim(name), names, n)) {
            cut = 1;
            continue;
        }

        if (pair.len == 0) {
            continue;
        }

        if (out->len != start) {
            torii_buf_adds(out, "; ");
        }

        torii_buf_add_str(out, pair);
    }

    return cut;
}


static void
oauth2_cookie_add(const oauth2_cookie_t *conf, uint32_t piece,
    torii_str_t value, int64_t age, oauth2_cookie_pt add, void *data)
{
    torii_buf_t  b;
    torii_str_t  line;

    memset(&b, 0, sizeof(torii_buf_t));

    torii_buf_add_str(&b, conf->name);

    if (piece) {
        torii_buf_printf(&b, ".%u", (unsigned) piece);
    }

    torii_buf_adds(&b, "=");
    torii_buf_add_str(&b, value);
    torii_buf_adds(&b, "; Path=");
    torii_buf_add_str(&b, conf->path);

    if (conf->domain.len) {
        torii_buf_adds(&b, "; Domain=");
        torii_buf_add_str(&b, conf->domain);
    }

    torii_buf_printf(&b, "; Max-Age=%lld", (long long) age);

    if (conf->secure) {
        torii_buf_adds(&b, "; Secure");
    }

    torii_buf_printf(&b, "; HttpOnly; SameSite=%s", conf->same_site);

    line.data = b.data;
    line.len = b.len;

    add(data, line);

    torii_buf_free(&b);
}


void
oauth2_cookie_set(const oauth2_cookie_t *conf, torii_str_t value, int64_t age,
    const oauth2_found_t *found, oauth2_cookie_pt add, void *data)
{
    uint32_t     k;
    torii_str_t  piece;

    for (k = 0; k < OAUTH2_PIECES_MAX; k++) {

        piece = value;

        if (piece.len > OAUTH2_PIECE) {
            piece.len = OAUTH2_PIECE;
        }

        if (piece.len) {
            oauth2_cookie_add(conf, k, piece, age, add, data);

            value.data += piece.len;
            value.len -= piece.len;

        } else if (k == 0 || (found && found->n[k])) {
            oauth2_cookie_add(conf, k, torii_str(""), 0, add, data);
        }
    }
}


void
oauth2_cookie_clear(const oauth2_cookie_t *conf, const oauth2_found_t *found,
    oauth2_cookie_pt add, void *data)
{
    oauth2_cookie_set(conf, torii_str(""), 0, found, add, data);
}


void
oauth2_cookie_states(torii_str_t line, torii_str_t name,
    oauth2_states_t *states)
{
    torii_str_t  key, value, rest;

    states->n = 0;

    while (oauth2_cookie_next(&line, &key, &value)) {

        if (key.len <= name.len
            || memcmp(key.data, name.data, name.len) != 0)
        {
            continue;
        }

        rest.data = key.data + name.len;
        rest.len = key.len - name.len;

        if (torii_str_starts(rest, OAUTH2_STATE_MARK)
            && states->n < OAUTH2_STATES_SEEN)
        {
            states->names[states->n] = key;
            states->values[states->n++] = value;
        }
    }
}
