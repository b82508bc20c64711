
/*
 * Kinds of clients.
 */

#include "oauth2_kind.h"


#define OAUTH2_JSON  "application/json"
#define OAUTH2_HTML  "text/html; charset=utf-8"
#define OAUTH2_GRPC  "application/grpc"

#define OAUTH2_BODY_LOGIN   "{\"error\":\"login_required\"}"
#define OAUTH2_BODY_DENIED  "{\"error\":\"access_denied\"}"


/* In the order of oauth2_kind_e: without a session, then with one. */

static const struct {
    const char       *name;
    oauth2_denial_t   denial[2];
} oauth2_kinds[] = {
    { "page", {
        { 302, 0, 0, NULL, NULL, NULL, NULL },
        { 403, 1, 0, OAUTH2_HTML, NULL, NULL, NULL } } },
    { "form", {
        { 401, 1, 1, OAUTH2_HTML, NULL, NULL, NULL },
        { 403, 1, 0, OAUTH2_HTML, NULL, NULL, NULL } } },
    { "api", {
        { 401, 0, 1, OAUTH2_JSON, OAUTH2_BODY_LOGIN, NULL, NULL },
        { 403, 0, 0, OAUTH2_JSON, OAUTH2_BODY_DENIED, NULL, NULL } } },
    { "events", {
        { 401, 0, 1, OAUTH2_JSON, OAUTH2_BODY_LOGIN, NULL, NULL },
        { 403, 0, 0, OAUTH2_JSON, OAUTH2_BODY_DENIED, NULL, NULL } } },
    { "socket", {
        { 401, 0, 1, NULL, NULL, NULL, NULL },
        { 403, 0, 0, NULL, NULL, NULL, NULL } } },

    /* codes 16 and 7 of gRPC, whose clients want status 200 around them */

    { "grpc", {
        { 200, 0, 0, OAUTH2_GRPC, NULL, "16", "unauthenticated" },
        { 200, 0, 0, OAUTH2_GRPC, NULL, "7", "permission denied" } } },
    { "grpc_web", {
        { 200, 0, 0, OAUTH2_GRPC "-web", NULL, "16", "unauthenticated" },
        { 200, 0, 0, OAUTH2_GRPC "-web", NULL, "7", "permission denied" } } }
};


static int
oauth2_kind_starts(torii_str_t s, const char *prefix)
{
    size_t  len;

    len = strlen(prefix);

    if (s.len < len) {
        return 0;
    }

    s.len = len;

    return torii_str_caseeqs(s, prefix);
}


/* RFC 9110 section 12.5.1; "q=0" says that it is not wanted. */

static int
oauth2_kind_accepts(torii_str_t accept, const char *type)
{
    torii_str_t  item, name, param;

    while (torii_str_next(&accept, ",", &item)) {
        (void) torii_str_next(&item, ";", &name);

        if (!torii_str_caseeqs(torii_str_trim(name), type)) {
            continue;
        }

        while (torii_str_next(&item, ";", &param)) {
            param = torii_str_trim(param);

            if (torii_str_caseeqs(param, "q=0")
                || torii_str_caseeqs(param, "q=0.0")
                || torii_str_caseeqs(param, "q=0.00")
                || torii_str_caseeqs(param, "q=0.000"))
            {
                return 0;
            }
        }

        return 1;
    }

    return 0;
}


static int
oauth2_kind_browser(const oauth2_asker_t *asker)
{
    if (asker->api || asker->requested_with.len) {
        return 0;
    }

    if (asker->fetch_mode.len == 0) {
        return oauth2_kind_accepts(asker->accept, "text/html");
    }

    if (!torii_str_eqs(asker->fetch_mode, "navigate")) {
        return 0;
    }

    return torii_str_eqs(asker->fetch_dest, "document")
           || (asker->frames && (torii_str_eqs(asker->fetch_dest, "iframe")
                                 || torii_str_eqs(asker->fetch_dest,
                                                  "frame")));
}


oauth2_kind_e
oauth2_kind(const oauth2_asker_t *asker)
{
    if (oauth2_kind_starts(asker->content_type, "application/grpc-web")) {
        return OAUTH2_KIND_GRPC_WEB;
    }

    if (oauth2_kind_starts(asker->content_type, "application/grpc")) {
        return OAUTH2_KIND_GRPC;
    }

    if (asker->upgrade.len) {
        return OAUTH2_KIND_SOCKET;
    }

    if (oauth2_kind_accepts(asker->accept, "text/event-stream")) {
        return OAUTH2_KIND_EVENTS;
    }

    if (!oauth2_kind_browser(asker)) {
        return OAUTH2_KIND_API;
    }

    return (torii_str_eqs(asker->method, "GET")
            || torii_str_eqs(asker->method, "HEAD"))
           ? OAUTH2_KIND_PAGE : OAUTH2_KIND_FORM;
}


const char *
oauth2_kind_name(oauth2_kind_e kind)
{
    return (unsigned) kind < OAUTH2_KIND_MAX ? oauth2_kinds[kind].name
                                             : "unknown";
}


const oauth2_denial_t *
oauth2_kind_denial(oauth2_kind_e kind, int known)
{
    if ((unsigned) kind >= OAUTH2_KIND_MAX) {
        kind = OAUTH2_KIND_API;
    }

    return &oauth2_kinds[kind].denial[known ? 1 : 0];
}
