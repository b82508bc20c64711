
/*
 * Where Redis is: a URL as OAuth2 Proxy and most clients take it.
 */

#include "oauth2_ticket.h"


#define OAUTH2_REDIS_PORT  6379
#define OAUTH2_REDIS_DBS   65535
#define OAUTH2_REDIS_TEXT  512


static unsigned
oauth2_redis_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10u : 16;
}


/* RFC 3986 section 2.1 */

static int
oauth2_redis_unescape(torii_arena_t *a, torii_str_t *s)
{
    size_t          i;
    unsigned        high, low;
    unsigned char  *p;

    if (s->len > OAUTH2_REDIS_TEXT) {
        return TORII_ERROR;
    }

    *s = torii_arena_str(a, *s);
    p = s->data;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] != '%') {
            *p++ = s->data[i];
            continue;
        }

        if (s->len - i < 3) {
            return TORII_ERROR;
        }

        high = oauth2_redis_digit(s->data[i + 1]);
        low = oauth2_redis_digit(s->data[i + 2]);

        if (high > 15 || low > 15) {
            return TORII_ERROR;
        }

        *p++ = (unsigned char) (high << 4 | low);
        i += 2;
    }

    s->len = (size_t) (p - s->data);

    return TORII_OK;
}


static const char *
oauth2_redis_user(torii_arena_t *a, torii_str_t user, oauth2_redis_t *redis)
{
    unsigned char  *p;

    p = user.len ? memchr(user.data, ':', user.len) : NULL;

    if (p == NULL) {
        return "has a user without a password";
    }

    redis->user.data = user.data;
    redis->user.len = (size_t) (p - user.data);

    redis->password.data = p + 1;
    redis->password.len = user.len - redis->user.len - 1;

    if (redis->password.len == 0
        || oauth2_redis_unescape(a, &redis->user) != TORII_OK
        || oauth2_redis_unescape(a, &redis->password) != TORII_OK)
    {
        return "has a user or a password that is not well-formed";
    }

    return NULL;
}


static const char *
oauth2_redis_host(torii_arena_t *a, torii_str_t host, oauth2_redis_t *redis)
{
    size_t          i;
    uint64_t        port;
    torii_str_t     digits;
    unsigned char  *p, *last;

    last = host.data + host.len;

    if (host.len && host.data[0] == '[') {
        p = memchr(host.data, ']', host.len);

        if (p == NULL) {
            return "has an address without its bracket";
        }

        redis->host.data = host.data + 1;
        redis->host.len = (size_t) (p - redis->host.data);
        p++;

    } else {
        p = host.len ? memchr(host.data, ':', host.len) : NULL;
        p = p ? p : last;

        redis->host.data = host.data;
        redis->host.len = (size_t) (p - host.data);
    }

    if (redis->host.len == 0 || redis->host.len > 253) {
        return "has no host";
    }

    for (i = 0; i < redis->host.len; i++) {
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                   "0123456789-._:", redis->host.data[i])
            == NULL || redis->host.data[i] == '\0')
        {
            return "has a host that is neither a name nor an address";
        }
    }

    redis->host = torii_arena_str(a, redis->host);

    if (p == last) {
        return NULL;
    }

    digits.data = p + 1;
    digits.len = (size_t) (last - digits.data);

    if (*p != ':' || torii_str_uint(digits, 65535, &port) != TORII_OK
        || port == 0)
    {
        return "has no port after its host";
    }

    redis->port = (uint32_t) port;

    return NULL;
}


const char *
oauth2_redis_read(torii_arena_t *a, torii_str_t url, oauth2_redis_t *redis)
{
    size_t          i;
    uint64_t        db;
    const char     *error;
    torii_str_t     part;
    unsigned char  *p;

    memset(redis, 0, sizeof(oauth2_redis_t));

    redis->port = OAUTH2_REDIS_PORT;
    redis->tls = torii_str_starts(url, "rediss://");

    if (!redis->tls && !torii_str_starts(url, "redis://")) {
        return "begins neither with \"redis://\" nor with \"rediss://\"";
    }

    i = redis->tls ? sizeof("rediss://") - 1 : sizeof("redis://") - 1;
    url.data += i;
    url.len -= i;

    p = url.len ? memchr(url.data, '/', url.len) : NULL;

    if (p) {
        part.data = p + 1;
        part.len = url.len - (size_t) (part.data - url.data);
        url.len = (size_t) (p - url.data);

        if (part.len && torii_str_uint(part, OAUTH2_REDIS_DBS, &db)
                        != TORII_OK)
        {
            return "has a database that is no number";
        }

        redis->db = part.len ? (uint32_t) db : 0;
    }

    /* a password may hold "@" */

    for (i = url.len; i > 0 && url.data[i - 1] != '@'; i--) {
        /* void */
    }

    if (i) {
        part.data = url.data;
        part.len = i - 1;

        error = oauth2_redis_user(a, part, redis);
        if (error) {
            return error;
        }
    }

    url.data += i;
    url.len -= i;

    return oauth2_redis_host(a, url, redis);
}
