
/*
 * The part of an Ingress' plan that says who may enter: its settings, and the
 * objects that they name.
 */

#include <stdlib.h>

#include "ingress_compile.h"


static ingress_item_t *ingress_plan_login_item(ingress_store_t *store,
    const torii_buf_t *pool, ingress_kind_e kind, ingress_ref_t namespace,
    ingress_ref_t name);


ingress_plan_login_t *
ingress_plan_login(ingress_store_t *store, const ingress_annotations_t *a)
{
    ingress_plan_login_t           *login;
    const ingress_login_setting_t  *setting;

    setting = &a->login;

    if (setting->asked == 0 && a->users_secret.len == 0) {
        return NULL;
    }

    login = torii_zalloc(sizeof(ingress_plan_login_t));

    login->users = ingress_plan_login_item(store, &a->pool,
                                           INGRESS_KIND_SECRET,
                                           a->users_namespace,
                                           a->users_secret);
    login->map = a->users_map;

    if (setting->asked) {
        login->shared = ingress_login_hold(store, setting, &a->pool);
        login->provider = ingress_plan_login_item(store, &a->pool,
                                                  INGRESS_KIND_SECRET,
                                                  setting->provider_namespace,
                                                  setting->provider);
        login->headers = ingress_plan_login_item(store, &a->pool,
                                                 INGRESS_KIND_CONFIGMAP,
                                                 setting->headers_namespace,
                                                 setting->headers);
    }

    return login;
}


static ingress_item_t *
ingress_plan_login_item(ingress_store_t *store, const torii_buf_t *pool,
    ingress_kind_e kind, ingress_ref_t namespace, ingress_ref_t name)
{
    if (name.len == 0) {
        return NULL;
    }

    return ingress_item_hold(store, kind, ingress_pool_str(pool, namespace),
                             ingress_pool_str(pool, name));
}


void
ingress_plan_login_free(ingress_store_t *store, ingress_plan_login_t *login)
{
    if (login->provider) {
        ingress_item_release(store, login->provider);
    }

    if (login->headers) {
        ingress_item_release(store, login->headers);
    }

    if (login->users) {
        ingress_item_release(store, login->users);
    }

    if (login->shared) {
        ingress_login_release(store, login->shared);
    }

    free(login);
}
