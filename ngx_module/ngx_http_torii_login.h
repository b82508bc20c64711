
/*
 * Logins in the worker: what the gate in the access phase, the login's own
 * paths (/oauth2/…) and the calls to providers share.
 *
 * A provider's state belongs to one process; what all workers must agree on (a
 * state is used once, a session is revoked, one of many refreshes) lies in a
 * zone of shared memory.
 */

#ifndef _NGX_HTTP_TORII_LOGIN_H_INCLUDED_
#define _NGX_HTTP_TORII_LOGIN_H_INCLUDED_


#include "ngx_http_torii.h"
#include "ngx_torii_curl.h"
#include "ngx_torii_redis.h"

#include "oauth2_cache.h"
#include "oauth2_header.h"
#include "oauth2_keys.h"
#include "oauth2_kind.h"
#include "oauth2_login.h"
#include "oauth2_logout.h"
#include "oauth2_refresh.h"
#include "oauth2_settings.h"


#define NGX_HTTP_TORII_LOGIN_BODY  65536     /* bytes of a form that is sent to
                                                PREFIX/… */
#define NGX_HTTP_TORII_LOGIN_WAIT  15000     /* ms that a provider may take for
                                                all of an exchange */


/*
 * A provider as one record of a table has it.  It outlives the table while it
 * is asked something: who waits, holds it.
 */

typedef struct {
    ngx_queue_t               queue;
    uint64_t                  hash;        /* of the whole record */
    ngx_uint_t                refs;
    torii_arena_t            *arena;
    torii_str_t               id;          /* "namespace/name" */
    oauth2_settings_t         settings;    /* provider.ready: endpoints, too */
    oauth2_ring_t            *ring;
    oauth2_keys_t            *keys;
    u_char                    keys_id[16];     /* in shared memory */
    uint64_t                  keys_version;    /* ms since 1970 */
    oauth2_keys_t            *issuers[OAUTH2_ISSUERS_MAX];   /* of those of
                                              settings; NULL: not known yet */
    const oauth2_setting_t   *in;          /* secrets among them */
    uint32_t                  nin;
    oauth2_projection_t       projection;
    uint32_t                  projection_hash;
    ngx_torii_curl_tls_t      tls;         /* provider-ca */
    ngx_torii_redis_t        *redis;       /* where sessions lie; NULL: in
                                              cookies */
    ngx_queue_t               waiting;     /* for newer keys */
    ngx_event_t               retire;      /* frees it, outside of a call */
    ngx_connection_t          dummy;
    ngx_uint_t                meter;       /* of ngx_torii_login_metrics.c */
    unsigned                  metered:1;
    unsigned                  usable:1;    /* else 503: settings are wrong */
} ngx_http_torii_provider_t;


/* ngx_http_torii_provider.c */

/*
 * That of a login's index; NULL: no memory, or its settings cannot be used
 * (logged once): 503.  Valid as long as the table, or until it is let go.  If
 * !settings.provider.ready, nothing is known of the issuer yet: sessions are
 * good, but new logins are answered by 503.
 */
ngx_http_torii_provider_t *ngx_http_torii_provider(ngx_torii_table_t *table,
    uint32_t index, ngx_log_t *log);
void ngx_http_torii_provider_hold(ngx_http_torii_provider_t *p);
void ngx_http_torii_provider_leave(ngx_http_torii_provider_t *p);
/* NULL: none, or not a native one. */
const ingress_table_login_t *ngx_http_torii_login_of(ngx_torii_table_t *table,
    const ingress_policy_t *policy);


/* ngx_http_torii_session.c */

/*
 * The session of a request with this provider, from the cache of this process
 * or opened now; revoked ones, and those that are too old, are not OAUTH2_OK.
 * It lives until the next call.  After anything but OAUTH2_OK and
 * OAUTH2_SESSION_NONE the cookie should be cleared.
 */
oauth2_fail_e ngx_http_torii_session(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_session_t **session);
/* The same of a text that is no cookie yet: what a refresh came to. */
oauth2_fail_e ngx_http_torii_session_sealed(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, torii_str_t sealed,
    const oauth2_session_t **session);

/* The Cookie header: all its fields joined by "; ". */
ngx_int_t ngx_http_torii_session_line(ngx_http_request_t *r,
    torii_str_t *line);
/* The host that cookies are for: lower case, without port. */
torii_str_t ngx_http_torii_session_host(ngx_http_request_t *r);
/* Name and attributes of the cookie, whom it is for. */
void ngx_http_torii_session_cookie(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, oauth2_cookie_t *cookie,
    oauth2_bind_t *bind);

/*
 * Set-Cookie and "Cache-Control: no-store" go into r->headers_out; nothing is
 * set if the session is too large (OAUTH2_SESSION_SIZE).  _put(): one that is
 * sealed already, as a refresh of another worker is.
 */
oauth2_fail_e ngx_http_torii_session_set(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_session_t *s);
ngx_int_t ngx_http_torii_session_put(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, torii_str_t sealed, int64_t age);
ngx_int_t ngx_http_torii_session_clear(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p);

/* The hash of a header of ours in an answer: not to be rewritten as those of
   backends are. */
#define NGX_HTTP_TORII_OURS  2

/* An oauth2_cookie_pt; data is one of these. */

typedef struct {
    ngx_http_request_t       *request;
    ngx_uint_t                failed;
} ngx_http_torii_cookies_t;

void ngx_http_torii_session_add(void *data, torii_str_t line);
/* "Cache-Control: no-store", and no other. */
ngx_int_t ngx_http_torii_session_no_store(ngx_http_request_t *r);

/* What names a session in the set of those that are revoked. */
void ngx_http_torii_session_id(const oauth2_session_t *s,
    torii_str_t provider, u_char id[16]);
void ngx_http_torii_session_revoke(ngx_http_torii_provider_t *p,
    const oauth2_session_t *s);
ngx_uint_t ngx_http_torii_session_revoked(ngx_http_torii_provider_t *p,
    const oauth2_session_t *s);
/* Changes with revocations, and with the provider. */
uint64_t ngx_http_torii_session_generation(ngx_http_torii_provider_t *p);


/* ngx_http_torii_login_rules.c: what a route asks for */

/* What of a session can be the value of a header. */

typedef enum {
    NGX_HTTP_TORII_IDENTITY_USER = 0,
    NGX_HTTP_TORII_IDENTITY_EMAIL,
    NGX_HTTP_TORII_IDENTITY_PREFERRED,
    NGX_HTTP_TORII_IDENTITY_GROUPS,
    NGX_HTTP_TORII_IDENTITY_TOKEN,
    NGX_HTTP_TORII_IDENTITY_BEARER,
    NGX_HTTP_TORII_IDENTITY_GAP,
    NGX_HTTP_TORII_IDENTITY_VALUES
} ngx_http_torii_identity_e;

/* A header for the backend, as a request has them; names are static. */

typedef struct {
    ngx_str_t                   name;      /* "X-Auth-Request-Email" */
    u_char                     *lowcase;
    ngx_uint_t                  hash;
    ngx_http_torii_identity_e   value;
} ngx_http_torii_identity_t;

typedef struct {
    oauth2_policy_t             policy;
    oauth2_policy_t             writers;   /* for methods that change
                                              something */
    oauth2_skip_t              *skip;
    uint32_t                    nskip;
    uint32_t                    nidentity;
    ngx_http_torii_identity_t  *identity;  /* the headers of its own */
    unsigned                    values;    /* that they have, as bits */
    unsigned                    wants_groups:1;
    unsigned                    usable:1;
} ngx_http_torii_login_rules_t;

/*
 * Of a login's index and its provider; NULL: they cannot be used (logged once),
 * 503.
 */
ngx_http_torii_login_rules_t *ngx_http_torii_login_rules(
    ngx_torii_table_t *table, uint32_t index, ngx_http_torii_provider_t *p,
    ngx_log_t *log);


/* ngx_http_torii_login_asker.c: who asks, and how he is refused */

/* The first header of a request with that name, in any case; or empty. */
torii_str_t ngx_http_torii_login_field(ngx_http_request_t *r, char *name);
oauth2_kind_e ngx_http_torii_login_kind(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p, ngx_uint_t api);
ngx_uint_t ngx_http_torii_login_is_api(ngx_http_torii_ctx_t *ctx,
    const oauth2_settings_t *settings);
/*
 * known: there is a session, but it may not enter.  What a phase handler
 * returns: NGX_DONE after an answer, or a status.
 */
ngx_int_t ngx_http_torii_login_deny(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p,
    oauth2_kind_e kind, ngx_uint_t known, oauth2_fail_e reason);


/* ngx_http_torii_login_header.c: what a backend is told */

/* Which headers a login sets for those who have a session: in rules. */
void ngx_http_torii_login_identity(torii_arena_t *a, ngx_torii_table_t *table,
    const ingress_table_login_t *login, ngx_http_torii_provider_t *p,
    ngx_http_torii_login_rules_t *rules);
/* s NULL: a client's own ones go, none is set. */
ngx_int_t ngx_http_torii_login_headers(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p,
    const ingress_table_login_t *login, ngx_http_torii_login_rules_t *rules,
    const oauth2_session_t *s);
/* What a client made up goes, and what the login's headers name. */
void ngx_http_torii_login_strip(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, const ingress_table_login_t *login);
/* A header for the backend; name and value are not copied. */
ngx_int_t ngx_http_torii_login_push(ngx_http_request_t *r, ngx_str_t *name,
    torii_str_t value);
/* Cookies of all providers of the table are cut out of what a backend gets. */
ngx_int_t ngx_http_torii_login_cookies(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);


/* ngx_http_torii_login_bearer.c: access tokens of programs */

/*
 * OAUTH2_SESSION_NONE: there is no token.  With OAUTH2_TOKEN_KEY a newer set of
 * keys is on its way.  session is of this process, and lives until the next
 * call.
 */
oauth2_fail_e ngx_http_torii_login_bearer(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p,
    const oauth2_session_t **session);


/* ngx_http_torii_login_issuer.c: those of further issuers */

uint64_t ngx_http_torii_login_issuers_hash(const ingress_table_t *t,
    const ingress_table_provider_t *record, uint64_t hash);
/* Their keys, as the record has them. */
void ngx_http_torii_login_issuers(ngx_http_torii_provider_t *p,
    const ingress_table_t *t, const ingress_table_provider_t *record,
    ngx_log_t *log);
void ngx_http_torii_login_issuers_free(ngx_http_torii_provider_t *p);
/*
 * Whether the token says that it is of one of them, so that trust and keys
 * (NULL: none are known) are what it has to be held against.
 */
ngx_uint_t ngx_http_torii_login_issuer(ngx_http_torii_provider_t *p,
    torii_arena_t *a, torii_str_t token, oauth2_trust_t *trust,
    const torii_jwks_t **keys);


/* ngx_http_torii_login_stream.c: streams end with their session */

/* In the header filter, of an answer that may last. */
ngx_int_t ngx_http_torii_login_stream(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);


/* ngx_http_torii_login.c: the gate */

/*
 * In the access phase.  NGX_DECLINED: may go on; NGX_AGAIN: waits, and phases
 * run on when it is over; else a status, or NGX_DONE after an answer.
 */
ngx_int_t ngx_http_torii_login(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);


/* ngx_http_torii_endpoint*.c: the login's own paths */

/*
 * In the rewrite phase, of every host.  NGX_DECLINED: not one of them; else a
 * status, or NGX_DONE: it is answered, or will be.
 */
ngx_int_t ngx_http_torii_login_path(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);

/*
 * 302 to the provider with a state cookie, from any route.  rd: where to come
 * back to, checked already or r->unparsed_uri of this very request.  select:
 * let the person choose another account.
 */
ngx_int_t ngx_http_torii_login_begin(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_provider_t *p, torii_str_t rd,
    ngx_uint_t select);


/* ngx_http_torii_page.c */

typedef enum {
    NGX_HTTP_TORII_PAGE_SIGN_IN = 0,   /* a link to PREFIX/start */
    NGX_HTTP_TORII_PAGE_SIGN_OUT,      /* a form to PREFIX/sign_out */
    NGX_HTTP_TORII_PAGE_SIGNED_OUT,
    NGX_HTTP_TORII_PAGE_DENIED,        /* logged in, but may not enter */
    NGX_HTTP_TORII_PAGE_FAILED,        /* the login failed: try again */
    NGX_HTTP_TORII_PAGE_UNAVAILABLE    /* the provider, or its settings */
} ngx_http_torii_page_e;

/*
 * An HTML page with this status, sent now: what ngx_http_finalize_request()
 * takes.  reason: of the login, for a fixed sentence; OAUTH2_OK: none.  rd is
 * where links of the page lead to after the login.  Headers that are set
 * already go with it.
 */
ngx_int_t ngx_http_torii_page(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, ngx_http_torii_page_e page,
    ngx_uint_t status, oauth2_fail_e reason, torii_str_t rd);
/* "torii_login_page FILE;" */
char *ngx_http_torii_page_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* PREFIX/static/NAME; NGX_HTTP_NOT_FOUND. */
ngx_int_t ngx_http_torii_page_static(ngx_http_request_t *r, torii_str_t name);


/* ngx_torii_login_fetch.c: a worker asks providers */

/* One request; res->status is 0 if there was no answer.  Called later. */
typedef void (*ngx_torii_login_call_pt)(void *data,
    const oauth2_response_t *res, torii_str_t cache_control);

ngx_int_t ngx_torii_login_call(ngx_http_torii_provider_t *p,
    const oauth2_request_t *req, ngx_msec_t timeout,
    ngx_torii_login_call_pt done, void *data);


typedef struct ngx_torii_login_task_s  ngx_torii_login_task_t;

/*
 * Called once, from the event loop.  OAUTH2_OK: x is DONE, and lives until the
 * handler returns.
 */
typedef void (*ngx_torii_login_task_pt)(void *data, oauth2_exchange_t *x,
    oauth2_fail_e fail);

/*
 * The provider is held until the end.  NULL: no memory.  _abandon(): the
 * handler is not called any more, but the exchange is brought to its end.
 */
ngx_torii_login_task_t *ngx_torii_login_code(ngx_http_torii_provider_t *p,
    oauth2_callback_t *callback, torii_str_t redirect_uri,
    ngx_torii_login_task_pt handler, void *data);
/* A refresh: the session must live and stay as it is until the end. */
ngx_torii_login_task_t *ngx_torii_login_renew(ngx_http_torii_provider_t *p,
    const oauth2_session_t *session, ngx_torii_login_task_pt handler,
    void *data);
void ngx_torii_login_abandon(ngx_torii_login_task_t *t);
/* A refresh token is taken back; nobody waits for the answer. */
void ngx_torii_login_take_back(ngx_http_torii_provider_t *p,
    torii_str_t token);
/* Of this process; NULL: no memory (logged). */
ngx_torii_curl_t *ngx_torii_login_curl(void);
/* Connections that trusted its own CA are closed. */
void ngx_torii_login_forget(ngx_http_torii_provider_t *p);
void ngx_torii_login_cleanse(torii_str_t s);


/* ngx_torii_login_keys.c */

/*
 * For a token whose key is not known: newer ones are fetched, or were by
 * another worker.  handler is called once, later; OAUTH2_OK: look again.
 */
typedef void (*ngx_torii_login_keys_pt)(void *data, oauth2_fail_e fail);

ngx_int_t ngx_torii_login_keys(ngx_http_torii_provider_t *p, torii_str_t kid,
    ngx_torii_login_keys_pt handler, void *data);
/* 1: another worker had newer keys, and p has them now. */
ngx_uint_t ngx_torii_login_keys_newer(ngx_http_torii_provider_t *p);


/* ngx_torii_login_refresh.c: one refresh, whatever the number of requests */

typedef struct {
    oauth2_refresh_e          what;    /* NO, STALE: go on; LOGIN; TAKE; or
                                          WAIT_OTHER: ask again within 20 ms */
    torii_str_t               sealed;  /* TAKE: in r->pool */
} ngx_torii_login_refresh_t;

/*
 * Decides by the session and the zone, and asks the provider if it is this
 * worker's turn.  _BEGIN comes out as NO and _BEGIN_WAIT as WAIT_OTHER: the
 * result is in the zone when it is there.
 */
void ngx_torii_login_refresh(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const oauth2_bind_t *bind,
    const oauth2_session_t *s, ngx_uint_t needs_token, ngx_uint_t waited,
    ngx_torii_login_refresh_t *out);


/* ngx_torii_login_shm.c: what all workers know */

/* Milliseconds since 1970. */
uint64_t ngx_torii_login_ms(void);
ngx_int_t ngx_torii_login_zone(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf);

typedef enum {
    NGX_TORII_ONCE_STATE = 0,  /* of a login: the oldest may be forgotten */
    NGX_TORII_ONCE_TOKEN,      /* logout tokens, hand-over codes: never before
                                  their time */
    NGX_TORII_ONCE_KINDS
} ngx_torii_once_e;

/*
 * NGX_OK: for the first time; NGX_DECLINED: not so; NGX_ERROR: nobody can tell,
 * which is to be taken for the same.
 */
ngx_int_t ngx_torii_login_once(ngx_torii_once_e kind, const u_char id[16],
    time_t until);

/*
 * Sessions with this id that were created up to now are void; kept until then.
 * Never fails: rather are too many revoked.
 */
void ngx_torii_login_revoke(const u_char id[16], time_t until);
/* 1: a session that was created then is void. */
ngx_uint_t ngx_torii_login_revoked(const u_char (*ids)[16], ngx_uint_t n,
    int64_t created);
/* 0: nothing was ever revoked. */
ngx_uint_t ngx_torii_login_revocations(void);
/* Changes with each revocation. */
uint64_t ngx_torii_login_generation(void);
/* Of strings, told apart by their lengths. */
void ngx_torii_login_id(const char *what, torii_str_t a, torii_str_t b,
    u_char id[16]);

/* result: OAUTH2_SEALED_MAX bytes, filled for TAKE. */
oauth2_refresh_e ngx_torii_login_flight(const oauth2_session_t *s,
    const oauth2_refresh_t *conf, const uint8_t id[16], u_char *result,
    size_t *len);
void ngx_torii_login_flight_done(const uint8_t id[16], uint32_t owner,
    torii_str_t sealed);
void ngx_torii_login_flight_failed(const uint8_t id[16], uint32_t owner,
    oauth2_fail_e fail);

/*
 * Keys of a provider (by the hash of its issuer and client) that some worker
 * has fetched: copied to b if they are newer than *version, which grows.
 */
ngx_int_t ngx_torii_login_keys_get(const u_char id[16], uint64_t *version,
    torii_buf_t *b);
void ngx_torii_login_keys_put(const u_char id[16], torii_str_t jwks,
    uint64_t *version);


typedef enum {
    NGX_TORII_LOGIN_BEGUN = 0,
    NGX_TORII_LOGIN_DONE,
    NGX_TORII_LOGIN_FAILED,
    NGX_TORII_LOGIN_DENIED,
    NGX_TORII_LOGIN_REPLAYED,
    NGX_TORII_LOGIN_REFRESHED,
    NGX_TORII_LOGIN_REFRESH_JOINED,
    NGX_TORII_LOGIN_REFRESH_FAILED,
    NGX_TORII_LOGIN_KEYS_FETCHED,
    NGX_TORII_LOGIN_KEYS_FAILED,
    NGX_TORII_LOGIN_SIGNED_OUT,
    NGX_TORII_LOGIN_BACKCHANNEL,
    NGX_TORII_LOGIN_COUNTS
} ngx_torii_login_count_e;

void ngx_torii_login_count(ngx_torii_login_count_e what);
/* Prometheus text, behind what is in out. */
void ngx_torii_login_metrics(torii_buf_t *out);


/* ngx_torii_login_metrics.c: by provider and reason */

typedef enum {
    NGX_TORII_METER_LOGIN = 0,     /* one has come to its end */
    NGX_TORII_METER_DENIED,        /* a request was not let in */
    NGX_TORII_METER_COOKIE,        /* one was opened, or could not be */
    NGX_TORII_METERS
} ngx_torii_meter_e;

/* What a server of auth-url came to. */

typedef enum {
    NGX_TORII_ASKED_ALLOWED = 0,
    NGX_TORII_ASKED_DENIED,
    NGX_TORII_ASKED_FAILED,
    NGX_TORII_ASKED_CACHED,        /* also one of those above */
    NGX_TORII_ASKED
} ngx_torii_asked_e;

void ngx_torii_login_meter(ngx_http_torii_provider_t *p,
    ngx_torii_meter_e what, oauth2_fail_e fail);
void ngx_torii_login_meter_cache(ngx_http_torii_provider_t *p,
    ngx_uint_t hit);
/* A request to the provider; status 0: no answer. */
void ngx_torii_login_meter_time(ngx_http_torii_provider_t *p, ngx_msec_t ms,
    ngx_uint_t status);
/*
 * A line in the log: what happened to whom, by which provider.  Bytes of a name
 * that have no place in a line are not in it; reason may be NULL.
 */
void ngx_torii_login_audit(ngx_log_t *log, ngx_http_torii_provider_t *p,
    char *what, torii_str_t sub, const char *reason);
void ngx_torii_login_meter_asked(ngx_torii_asked_e what);
void ngx_torii_login_meter_asked_time(ngx_msec_t ms);
/* As ngx_torii_login_metrics(). */
void ngx_torii_login_meters(torii_buf_t *out);
/* "/api/sessions" */
ngx_uint_t ngx_torii_login_page(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out);


#endif /* _NGX_HTTP_TORII_LOGIN_H_INCLUDED_ */
