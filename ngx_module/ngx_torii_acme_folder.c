
/*
 * Certificates of one machine: state, keys of accounts and certificates are
 * files below private/, and the table is all that challenges have to get into.
 */

#include "ngx_torii_acme.h"
#include "ngx_torii_file.h"


static ngx_int_t ngx_torii_folder_create(ngx_torii_acme_t *a);
static ngx_int_t ngx_torii_folder_ready(ngx_torii_acme_t *a);
static void ngx_torii_folder_load(ngx_torii_acme_t *a);
static void ngx_torii_folder_loaded(void *ctx, torii_str_t name,
    torii_str_t data);
static ngx_int_t ngx_torii_folder_save(ngx_torii_acme_t *a,
    const acme_action_t *action);
static ngx_int_t ngx_torii_folder_account(ngx_torii_acme_t *a,
    const acme_action_t *action);
static ngx_int_t ngx_torii_folder_challenges(ngx_torii_acme_t *a,
    const ingress_challenge_t *all, uint32_t n);


const ngx_torii_keeper_t  ngx_torii_acme_folder = {
    ngx_torii_folder_create,
    ngx_torii_folder_ready,
    ngx_torii_folder_load,
    ngx_torii_folder_save,
    ngx_torii_folder_account,
    ngx_torii_certificate_keep,
    ngx_torii_folder_challenges,
    NULL,
    NULL
};


static ngx_int_t
ngx_torii_folder_create(ngx_torii_acme_t *a)
{
    ngx_torii_certificate_load(a);

    return NGX_OK;
}


/* The machine is made when something is wanted of it for the first time. */

static ngx_int_t
ngx_torii_folder_ready(ngx_torii_acme_t *a)
{
    if (a->acme == NULL) {
        ngx_torii_acme_start(a);
    }

    return NGX_OK;
}


static void
ngx_torii_folder_load(ngx_torii_acme_t *a)
{
    ngx_torii_file_each(&a->dir, ngx_torii_folder_loaded, a, a->log);
}


static void
ngx_torii_folder_loaded(void *ctx, torii_str_t name, torii_str_t data)
{
    ngx_torii_acme_t *a = ctx;

    acme_load(a->acme, name, data);
}


static ngx_int_t
ngx_torii_folder_save(ngx_torii_acme_t *a, const acme_action_t *action)
{
    if (action->data.len == 0) {
        return ngx_torii_file_remove(&a->dir, action->name, a->log);
    }

    return ngx_torii_file_write(&a->dir, action->name, action->data, 1,
                                a->log);
}


static ngx_int_t
ngx_torii_folder_account(ngx_torii_acme_t *a, const acme_action_t *action)
{
    return ngx_torii_issuer_account(a, action->issuer, action->data);
}


static ngx_int_t
ngx_torii_folder_challenges(ngx_torii_acme_t *a,
    const ingress_challenge_t *all, uint32_t n)
{
    if (ingress_store_challenges(a->helper->store, all, n)) {
        ngx_torii_pipeline_changed(a->helper, ngx_torii_publish_us());
    }

    return 0;
}
