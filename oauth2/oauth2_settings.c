
/*
 * The options of a provider: what depends on several of them is looked at when
 * all are read.
 */

#include "oauth2_settings_option.h"


#define OAUTH2_EXPIRE     (12 * 60 * 60)
#define OAUTH2_MAX_STALE  (15 * 60)


/*
 * redirect-url: a path says nothing that the prefix does not; with a host, that
 * host is where all logins end.
 */

static const char *
oauth2_settings_redirect(oauth2_reading_t *o)
{
    size_t              i;
    torii_str_t         url, path;
    unsigned char      *p, *last;
    oauth2_settings_t  *s;

    s = o->settings;
    url = o->redirect;

    if (url.len == 0) {
        return NULL;
    }

    last = url.data + url.len;
    p = url.data;

    if (*p != '/') {

        if (torii_str_starts(url, "https://")) {
            p += sizeof("https://") - 1;

        } else if (torii_str_starts(url, "http://") && !s->cookie.secure) {
            p += sizeof("http://") - 1;

        } else {
            return "is neither a path nor a URL with https";
        }

        s->redirect_uri = url;
        s->callback_host.data = p;

        while (p < last && *p != '/' && *p != ':') {
            p++;
        }

        s->callback_host.len = p - s->callback_host.data;
        s->callback_host = torii_arena_str(o->arena, s->callback_host);

        for (i = 0; i < s->callback_host.len; i++) {
            if (s->callback_host.data[i] >= 'A'
                && s->callback_host.data[i] <= 'Z')
            {
                s->callback_host.data[i] |= 0x20;
            }
        }

        while (p < last && *p != '/') {
            if (*p != ':' && (*p < '0' || *p > '9')) {
                return "is no URL";
            }

            p++;
        }

        if (s->callback_host.len == 0) {
            return "has no host";
        }
    }

    path.data = p;
    path.len = last - p;

    if (path.len != s->prefix.len + sizeof("/callback") - 1
        || memcmp(p, s->prefix.data, s->prefix.len) != 0
        || memcmp(p + s->prefix.len, "/callback", sizeof("/callback") - 1) != 0)
    {
        return "has another path than that of the callback, which is behind "
               "proxy-prefix";
    }

    return NULL;
}


/* Two providers of one host must not take each other's cookies for broken. */

static void
oauth2_settings_cookie(oauth2_reading_t *o)
{
    oauth2_cookie_t    *cookie;
    oauth2_settings_t  *s;

    s = o->settings;
    cookie = &s->cookie;

    if (cookie->name.len == 0) {
        cookie->name = torii_arena_printf(o->arena, "%storii-%06x",
            (cookie->secure && s->ndomains == 0
             && torii_str_eqs(cookie->path, "/")) ? "__Host-" : "",
            (unsigned) (torii_hash(s->provider.id.data, s->provider.id.len, 0)
                        & 0xffffff));
    }
}


/* What the provider is asked for at a login. */

static int
oauth2_settings_members(const oauth2_provider_t *p)
{
    return p->hosted.given || p->orgs.given || p->teams.given
           || p->users.given || p->members.given || p->projects.given;
}


/*
 * Everybody has an account at some providers, or can make one: whoever means
 * that says so by email-domain "*".
 */

static int
oauth2_settings_open(const oauth2_settings_t *s)
{
    const oauth2_provider_t  *p;

    p = &s->provider;

    return p->type->issuer && torii_str_eqs(p->issuer, p->type->issuer)
           && !s->policy.domains.given && !s->policy.emails.given
           && !s->policy.groups.given && !oauth2_settings_members(p);
}


/* Without it there is no ID token, and no login would ever succeed. */

static int
oauth2_settings_openid(const oauth2_provider_t *p)
{
    torii_str_t  rest, word;

    rest = p->scope;

    while (torii_str_next(&rest, " ", &word)) {
        if (torii_str_eqs(word, "openid")) {
            return 1;
        }
    }

    return !p->type->oidc;
}


static void
oauth2_settings_cookies(oauth2_reading_t *o)
{
    uint32_t            i;
    const char         *error;
    oauth2_cookie_t     cookie;
    oauth2_settings_t  *s;

    s = o->settings;

    oauth2_settings_cookie(o);

    cookie = s->cookie;

    for (i = 0; i <= s->ndomains; i++) {
        error = oauth2_cookie_check(&cookie);

        if (error) {
            oauth2_settings_failed(o, i ? "cookie-domain" : "cookie-name",
                                   error);
            break;
        }

        if (i < s->ndomains) {
            cookie.domain = s->domains[i];
        }
    }
}


static const char *
oauth2_settings_secret(const oauth2_settings_t *s)
{
    const char     *error;
    oauth2_ring_t  *ring;

    if (s->nsecrets == 0) {
        return "is missing";
    }

    ring = oauth2_ring_create(s->secrets, s->nsecrets, &error);

    if (ring == NULL) {
        return error;
    }

    oauth2_ring_free(ring);

    return NULL;
}


/* What is kept of tokens, and whether all that is asked for can be had. */

static void
oauth2_settings_keep(oauth2_reading_t *o)
{
    oauth2_settings_t  *s;

    s = o->settings;

    s->keep = (o->refresh && !o->minimal) ? OAUTH2_KEEP_REFRESH : 0;

    if (s->headers & OAUTH2_PASS_ACCESS_TOKEN) {
        s->keep |= OAUTH2_KEEP_ACCESS;
    }

    if (s->headers & (OAUTH2_PASS_AUTHORIZATION|OAUTH2_SET_AUTHORIZATION)) {
        s->keep |= OAUTH2_KEEP_ID;
    }

    if (o->minimal && s->keep) {
        oauth2_settings_failed(o, "session-cookie-minimal",
                               "keeps no tokens, which pass-access-token, "
                               "pass-authorization-header and "
                               "set-authorization-header would need");
    }
}


static void
oauth2_settings_check(oauth2_reading_t *o)
{
    const char         *error;
    oauth2_settings_t  *s;

    s = o->settings;

    if (s->provider.type == NULL) {
        if (s->provider.issuer.len == 0) {
            oauth2_settings_failed(o, "provider", "is missing");
            return;
        }

        s->provider.type = oauth2_provider_type(torii_str("oidc"));
    }

    error = oauth2_provider_init(o->arena, &s->provider);
    if (error) {
        oauth2_settings_failed(o, "provider", error);
        return;
    }

    if (!oauth2_settings_openid(&s->provider)) {
        oauth2_settings_failed(o, "scope", "lacks \"openid\"");
    }

    if (s->bearer && oauth2_settings_members(&s->provider)) {
        oauth2_settings_failed(o, "skip-jwt-bearer-tokens",
                               "does not go with rules about members (hosted "
                               "domain, organisation, team, user, project): "
                               "a token does not tell of them");
    }

    if (oauth2_settings_open(s)) {
        oauth2_settings_failed(o, "email-domain",
                               "is missing: without it all who have an "
                               "account there may enter, \"*\" allows that");
    }

    error = oauth2_settings_redirect(o);
    if (error) {
        oauth2_settings_failed(o, "redirect-url", error);
    }

    error = oauth2_settings_secret(s);
    if (error) {
        oauth2_settings_failed(o, "cookie-secret", error);
    }

    if (o->store && s->redis.len == 0) {
        oauth2_settings_failed(o, "redis-connection-url", "is missing");
    }

    if (!o->store && (s->redis.len || s->redis_ca.len)) {
        oauth2_settings_failed(o, "session-store-type",
                               "is not \"redis\", but there is more that is "
                               "meant for one");
    }

    if (s->life.absolute == 0) {
        oauth2_settings_failed(o, "cookie-expire", "has to be more than 0");
    }

    if (o->renew && o->renew >= s->life.absolute) {
        oauth2_settings_failed(o, "cookie-refresh",
                               "has to be less than cookie-expire");
    }

    error = oauth2_settings_issuers(s);
    if (error) {
        oauth2_settings_failed(o, "extra-jwt-issuers", error);
    }

    oauth2_settings_cookies(o);
    oauth2_settings_keep(o);
}


int
oauth2_settings_read(torii_arena_t *a, torii_str_t id,
    const oauth2_setting_t *in, uint32_t n, oauth2_settings_t *s,
    oauth2_settings_pt error, void *data)
{
    uint32_t          i;
    oauth2_reading_t  o;

    memset(s, 0, sizeof(oauth2_settings_t));
    memset(&o, 0, sizeof(oauth2_reading_t));

    o.arena = a;
    o.settings = s;
    o.refresh = 1;
    o.error = error;
    o.data = data;

    s->provider.id = id;
    s->prefix = torii_str("/oauth2");
    s->cookie.path = torii_str("/");
    s->cookie.same_site = "Lax";
    s->cookie.secure = 1;
    s->life.absolute = OAUTH2_EXPIRE;
    s->max_stale = OAUTH2_MAX_STALE;
    s->button = 0;
    s->end_session = 1;
    s->policy.either = 1;
    s->headers = OAUTH2_PASS_USER|OAUTH2_PASS_XAUTH|OAUTH2_STRIP_HEADERS;

    for (i = 0; i < n; i++) {
        oauth2_settings_option(&o, &in[i]);
    }

    if (!o.failed) {
        oauth2_settings_check(&o);
    }

    s->provider.wants_groups |= s->policy.groups.given | s->all_groups;

    return o.failed ? TORII_ERROR : TORII_OK;
}


torii_str_t
oauth2_settings_domain(const oauth2_settings_t *s, torii_str_t host)
{
    uint32_t     i;
    torii_str_t  best, name, tail;

    best = torii_str("");

    for (i = 0; i < s->ndomains; i++) {
        name = s->domains[i];

        if (name.len && name.data[0] == '.') {
            name.data++;
            name.len--;
        }

        if (name.len > host.len || name.len <= best.len) {
            continue;
        }

        tail.data = host.data + host.len - name.len;
        tail.len = name.len;

        if (torii_str_caseeq(tail, name)
            && (tail.len == host.len || tail.data[-1] == '.'))
        {
            best = name;
        }
    }

    return best;
}
