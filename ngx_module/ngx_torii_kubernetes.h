
/*
 * What the files of the Kubernetes source share: requests to the API server
 * under the identity in force, and what is written there by the leader.
 */

#ifndef _NGX_TORII_KUBERNETES_H_INCLUDED_
#define _NGX_TORII_KUBERNETES_H_INCLUDED_


#include "ngx_torii_helper.h"
#include "ngx_torii_curl.h"
#include "ngx_torii_interface.h"
#include "ingress_api.h"
#include "ingress_kubeconfig.h"


/* ngx_torii_identity.c: whom we trust and who we are, out of PEM */

typedef struct {
    ngx_torii_curl_tls_t   tls;
    uint64_t               hash;         /* of what it was made from */
    ngx_uint_t             refs;         /* one of its owner, one a request */
} ngx_torii_identity_t;

/*
 * Empty strings are not given; ca empty: the machine's authorities.  NULL:
 * error says what is wrong with which.
 */
ngx_torii_identity_t *ngx_torii_identity_create(torii_str_t ca,
    torii_str_t cert, torii_str_t key, ngx_uint_t insecure, char error[256]);
void ngx_torii_identity_free(ngx_torii_identity_t *identity);


/*
 * ngx_torii_api.c: where the API server is and who we are there, kept up to
 * date with the files that say so.
 */

typedef struct ngx_torii_api_s  ngx_torii_api_t;

ngx_torii_api_t *ngx_torii_api_create(ngx_torii_helper_t *h);

/* NGX_OK, or NGX_AGAIN: what is configured cannot be used (yet). */
ngx_int_t ngx_torii_api_ready(ngx_torii_api_t *api);
/* Why not, or what is wrong with the newest configuration, or "". */
const char *ngx_torii_api_error(ngx_torii_api_t *api);
/* Of the context or the pod; never empty. */
torii_str_t ngx_torii_api_namespace(ngx_torii_api_t *api);

/*
 * Handlers in the rooms' words.  head is told of a missing answer, too, and is
 * then the last to be called.  NGX_ERROR from head or body aborts: nothing
 * more is called.  NGX_ERROR from send: no handler will be called.
 */

typedef struct {
    ngx_int_t            (*head)(void *data,
                                 const ingress_api_answer_t *answer);
    ngx_int_t            (*body)(void *data, torii_str_t bytes);
    void                 (*done)(void *data, const char *error);
    void                  *data;
} ngx_torii_api_handlers_t;

ngx_int_t ngx_torii_api_send(ngx_torii_api_t *api,
    const ingress_api_request_t *req,
    const ngx_torii_api_handlers_t *handlers);

/* The answer as a whole; the handler is called once, maybe before the return
   when nothing can be sent. */
typedef void (*ngx_torii_api_answer_pt)(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);

void ngx_torii_api_ask(ngx_torii_api_t *api, const ingress_api_request_t *req,
    ngx_torii_api_answer_pt handler, void *data, uint32_t id);

/* How often a question was answered after a request that was not; the event is
   posted when there is one more. */
ngx_uint_t ngx_torii_api_returns(ngx_torii_api_t *api, ngx_event_t *notify);

/* Blocking, timeout ms at most: for a process that exits. */
void ngx_torii_api_farewell(ngx_torii_api_t *api,
    const ingress_api_request_t *req, uint32_t timeout);


/*
 * ngx_torii_kubernetes.c: whether what the store has of Secrets can be built
 * on, as a whole, and of one of them: NGX_OK, NGX_AGAIN (soon), NGX_DECLINED
 * (it cannot be read).
 */
ngx_uint_t ngx_torii_kubernetes_settled(ngx_torii_helper_t *h);
ngx_int_t ngx_torii_kubernetes_secret(ngx_torii_helper_t *h,
    torii_str_t namespace, torii_str_t name);


/* ngx_torii_writer.c: Lease, status and Events, by the leader */

typedef struct ngx_torii_writer_s  ngx_torii_writer_t;

/* "torii_leader off": there is no leader, each instance acts alone. */
ngx_uint_t ngx_torii_writer_off(ngx_torii_helper_t *h);
/* NULL: there is nothing to write, or no memory. */
ngx_torii_writer_t *ngx_torii_writer_create(ngx_torii_helper_t *h,
    ngx_torii_api_t *api);
void ngx_torii_writer_compiled(ngx_torii_writer_t *w,
    ingress_findings_t *findings);
void ngx_torii_writer_report(ngx_torii_writer_t *w);


/* ngx_torii_address.c: the gateway's own addresses, as torii_publish says */

typedef struct ngx_torii_address_s  ngx_torii_address_t;

/* changed() is called when it is time to look before the wait is over. */
ngx_torii_address_t *ngx_torii_address_create(ngx_torii_helper_t *h,
    ngx_torii_api_t *api, ngx_torii_interface_changed_pt changed, void *data);
/*
 * Their number, at most max; the strings live until the next call.  What has to
 * be asked for is: *wait is when to call again.
 */
ngx_uint_t ngx_torii_address_get(ngx_torii_address_t *a, uint64_t now,
    ingress_address_t *addresses, ngx_uint_t max, uint32_t *wait);


#endif /* _NGX_TORII_KUBERNETES_H_INCLUDED_ */
