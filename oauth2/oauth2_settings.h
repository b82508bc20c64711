
/*
 * What a Secret of type torii/oauth2-provider says: names and values, by the
 * names of OAuth2 Proxy's options ("client-id"; "_" counts as "-").  A name
 * that is not known is an error, as is every value that is not understood: what
 * was meant to keep somebody out may not be ignored.
 */

#ifndef _OAUTH2_SETTINGS_H_INCLUDED_
#define _OAUTH2_SETTINGS_H_INCLUDED_


#include "oauth2_exchange.h"
#include "oauth2_path.h"
#include "oauth2_redirect.h"
#include "oauth2_ticket.h"


typedef struct {
    torii_str_t           name;
    torii_str_t           value;
} oauth2_setting_t;


#define OAUTH2_ISSUERS_MAX          8

/* Whose tokens are taken of programs, beside the provider's. */

typedef struct {
    torii_str_t           issuer;
    const torii_str_t    *audiences;   /* one of them has to be the token's */
    uint32_t              naudiences;
} oauth2_issuer_t;


/* Headers towards the backend, and of the answer of PREFIX/auth. */

#define OAUTH2_PASS_USER            0x0001   /* pass-user-headers */
#define OAUTH2_PASS_XAUTH           0x0002   /* set-xauthrequest */
#define OAUTH2_PASS_ACCESS_TOKEN    0x0004   /* pass-access-token */
#define OAUTH2_PASS_AUTHORIZATION   0x0008   /* pass-authorization-header */
#define OAUTH2_SET_AUTHORIZATION    0x0010   /* set-authorization-header */
#define OAUTH2_PREFER_EMAIL         0x0020   /* prefer-email-to-user */
#define OAUTH2_STRIP_HEADERS        0x0040   /* skip-auth-strip-headers */


typedef struct {
    oauth2_provider_t     provider;    /* without endpoints, if it has to be
                                          asked for them: ready says so */
    torii_str_t           ca;          /* PEM, or empty: the machine's */

    /* cookies */
    torii_str_t           secrets[OAUTH2_KEYS_MAX];
    uint32_t              nsecrets;
    oauth2_cookie_t       cookie;
    const torii_str_t    *domains;     /* cookie-domain: that of a request is
                                          oauth2_settings_domain() */
    uint32_t              ndomains;
    oauth2_lifetime_t     life;
    unsigned              keep;        /* OAUTH2_KEEP_… */
    torii_str_t           redis;       /* where sessions lie, a secret; empty:
                                          in the cookie */
    torii_str_t           redis_ca;    /* PEM, or empty: the machine's */
    int64_t               max_stale;   /* s that a session goes on without the
                                          provider */

    /* who may log in, whatever route he wants to */
    oauth2_policy_t       policy;

    /* paths */
    torii_str_t           prefix;      /* "/oauth2" */
    torii_str_t           redirect_uri;    /* of the callback, absolute; empty:
                                              each host has its own */
    torii_str_t           callback_host;   /* of redirect_uri, no port */
    const torii_str_t    *whitelist;   /* for oauth2_redirect_t */
    uint32_t              nwhitelist;
    const oauth2_skip_t  *skip;
    uint32_t              nskip;
    const torii_str_t    *api;         /* api-route: patterns that paths begin
                                          with */
    uint32_t              napi;
    unsigned              preflight:1;     /* skip-auth-preflight */
    unsigned              form_post:1;     /* response-mode */
    unsigned              button:1;    /* a page before the login; unset by
                                          skip-provider-button */
    unsigned              frames:1;    /* logins within frames, too */
    unsigned              json:1;      /* force-json-errors */
    unsigned              end_session:1;   /* the provider's session ends with
                                              ours */
    unsigned              bearer:1;    /* skip-jwt-bearer-tokens */
    const oauth2_issuer_t  *issuers;   /* extra-jwt-issuers, each once */
    uint32_t              nissuers;

    torii_str_t           post_logout; /* where the provider sends back to */
    torii_str_t           title;       /* provider-display-name */

    /* headers */
    unsigned              headers;     /* OAUTH2_PASS_… */
    unsigned              all_groups:1;    /* pass-all-groups: kept are all,
                                          not only those that rules name */
    const torii_str_t    *claims;      /* oidc-extra-claims: kept of a login */
    uint32_t              nclaims;
} oauth2_settings_t;


/* What is wrong, of which name; the text holds nothing of the value. */
typedef void (*oauth2_settings_pt)(void *data, torii_str_t name,
    const char *text);

/*
 * id names the provider in cookies: "namespace/name".  TORII_ERROR: error() was
 * told at least once, and nothing of s is to be used.  s refers to the strings
 * of in, and to the arena.
 */
int oauth2_settings_read(torii_arena_t *a, torii_str_t id,
    const oauth2_setting_t *in, uint32_t n, oauth2_settings_t *s,
    oauth2_settings_pt error, void *data);

/* The longest cookie-domain that the host is in, on the boundary of a label;
   empty: the cookie is for this host alone. */
torii_str_t oauth2_settings_domain(const oauth2_settings_t *s,
    torii_str_t host);


#endif /* _OAUTH2_SETTINGS_H_INCLUDED_ */
