
/*
 * Who may enter a route: records of the routing table for logins, for servers
 * that are asked ("auth-url"), and for passwords.  A policy names at most one
 * login and one list of users; nothing here is understood by halves: what is
 * wrong denies its paths, with a finding.
 */

#ifndef _INGRESS_LOGIN_H_INCLUDED_
#define _INGRESS_LOGIN_H_INCLUDED_


#include "ingress_policy.h"


/*
 * A provider of logins: a Secret of type torii/oauth2-provider.  Its keys and
 * values are passed on as they are, since what they mean is the oauth2 room's
 * (oauth2_settings.h); records are sorted by name.
 */

typedef struct {
    ingress_ref_t      name;           /* "namespace/name" */
    uint64_t           hash;           /* of the settings: the same, as long as
                                          they are */
    ingress_ref_t      settings;       /* ingress_entry_t[], sorted by name;
                                          secrets among them */
    ingress_ref_t      discovery;      /* what the issuer told of itself, JSON;
                                          empty: nothing yet, or not asked */
    ingress_ref_t      keys;           /* its JWKS; likewise */
    uint64_t           fetched;        /* when, seconds since 1970 */
    ingress_ref_t      issuers;        /* ingress_entry_t[], sorted by name:
                                          further issuers whose tokens may be
                                          taken, and their JWKS */
    ingress_ref_t      groups;         /* ingress_ref_t[], sorted: all that any
                                          route with this provider asks for */
    uint32_t           routes;         /* that use it */
    uint32_t           pad;
} ingress_table_provider_t;


typedef enum {
    INGRESS_LOGIN_NATIVE = 0,  /* by a provider, in the worker */
    INGRESS_LOGIN_EXTERNAL     /* "auth-url" is asked */
} ingress_login_e;

/* Bits of login.flags */

#define INGRESS_LOGIN_EMAILS         0x0001  /* the list is given, if empty */
#define INGRESS_LOGIN_DOMAINS        0x0002
#define INGRESS_LOGIN_GROUPS         0x0004
#define INGRESS_LOGIN_API            0x0008  /* never a redirect: 401 */
#define INGRESS_LOGIN_OPTIONAL       0x0010  /* who has no session passes, and
                                                without headers */
#define INGRESS_LOGIN_SET_COOKIE     0x0020  /* auth-always-set-cookie */
#define INGRESS_LOGIN_METHOD         0x0040  /* auth-method was given: X-Scheme
                                                and X-Original-URI, too */
#define INGRESS_LOGIN_RELAY          0x0080  /* denials are passed on whole */
#define INGRESS_LOGIN_GLOBAL         0x0100  /* from the ConfigMap */
#define INGRESS_LOGIN_CHOSEN         0x0200  /* response_headers are said */
#define INGRESS_LOGIN_LOCAL          0x0400  /* the server may be of this
                                                machine or its link */


/*
 * Templates may hold nginx's variables of a request, "$host", "${host}"; only
 * those of a fixed list, which the compiler has checked (ingress_login.c), so
 * that the worker expands them by name without nginx's own script engine.
 */

typedef struct {
    ingress_ref_t      name;           /* lower case; or empty: value is text */
    ingress_ref_t      value;
} ingress_template_part_t;

/* How long answers of a server are kept, by status. */

typedef struct {
    uint32_t           status;         /* 0: any */
    uint32_t           seconds;
} ingress_cache_rule_t;

typedef struct {
    uint32_t           type;           /* ingress_login_e */
    uint32_t           flags;
    uint32_t           provider;       /* NATIVE: index into providers */
    uint32_t           pad;

    /* NATIVE: ingress_ref_t[] each */
    ingress_ref_t      emails;
    ingress_ref_t      domains;
    ingress_ref_t      groups;
    ingress_ref_t      skip;           /* rules in OAuth2 Proxy's words, for
                                          oauth2_skip_read() */
    ingress_ref_t      write_groups;   /* torii/oauth2-write-groups: for all
                                          methods but GET, HEAD, OPTIONS; len 0:
                                          as groups */

    /* EXTERNAL: templates are ingress_template_part_t[] */
    ingress_ref_t      url;
    ingress_ref_t      method;         /* "GET" */
    ingress_ref_t      request_redirect;   /* template; empty: $request_uri */
    ingress_ref_t      set_headers;    /* ingress_login_header_t[] */
    ingress_ref_t      cache_key;      /* template; empty: no cache */
    ingress_ref_t      cache_rules;    /* ingress_cache_rule_t[] */
    uint32_t           keepalive;      /* connections; 0: the default */
    uint32_t           timeout;        /* ms, of the whole; 0: the default */

    /* both */
    ingress_ref_t      signin;         /* template; EXTERNAL and empty: 401 */
    ingress_ref_t      signin_param;   /* "rd" */
    ingress_ref_t      response_headers;   /* ingress_ref_t[], of the backend */
} ingress_table_login_t;

/* A header of auth-proxy-set-headers. */

typedef struct {
    ingress_ref_t      name;
    ingress_ref_t      value;          /* a template */
} ingress_login_header_t;


/* Users and the hashes of their passwords: auth-secret. */

typedef struct {
    uint64_t           hash;           /* of all of it */
    ingress_ref_t      name;           /* "namespace/secret" */
    ingress_ref_t      users;          /* ingress_entry_t[], sorted by name;
                                          value is crypt(3)'s, "$apr1$…",
                                          "{SHA}…", "{SSHA}…" */
} ingress_table_users_t;


/* The variables that a template may name. */
int ingress_login_variable(torii_str_t name);

/* An address (IPv4 as ::ffff:a.b.c.d) of this machine or its link. */
int ingress_upstream_local(const uint8_t addr[16]);


#endif /* _INGRESS_LOGIN_H_INCLUDED_ */
