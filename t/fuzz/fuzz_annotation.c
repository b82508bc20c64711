
/*
 * Annotations and ConfigMap keys out of hostile bytes: pairs "name=value" with
 * "|" between.  A pair that begins with "@" is of the ConfigMap, "?" asks for
 * an origin; names without "/" get the prefix.
 */

#include <stdlib.h>

#include "ingress_annotation.h"


#define FUZZ_PAIRS  64


typedef struct {
    torii_arena_t     *arena;
    ingress_object_t   ingress;
    ingress_object_t   config;
    ingress_pair_t     annotations[FUZZ_PAIRS];
    ingress_pair_t     keys[FUZZ_PAIRS];
    uint32_t           nannotations;
    uint32_t           nkeys;
    torii_str_t        origin;
} fuzz_input_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_pair(fuzz_input_t *in, torii_str_t pair)
{
    torii_str_t      name;
    ingress_pair_t  *p;

    if (pair.len && pair.data[0] == '?') {
        in->origin.data = pair.data + 1;
        in->origin.len = pair.len - 1;
        return;
    }

    (void) torii_str_next(&pair, "=", &name);

    if (name.len && name.data[0] == '@') {

        if (in->nkeys < FUZZ_PAIRS) {
            p = &in->keys[in->nkeys++];
            p->name.data = name.data + 1;
            p->name.len = name.len - 1;
            p->value = pair;
        }

        return;
    }

    if (in->nannotations == FUZZ_PAIRS) {
        return;
    }

    if (name.len == 0 || memchr(name.data, '/', name.len) == NULL) {
        name = torii_arena_printf(in->arena, "%s%.*s",
                                  INGRESS_ANNOTATION_PREFIX,
                                  torii_str_arg(name));
    }

    p = &in->annotations[in->nannotations++];
    p->name = name;
    p->value = pair;
}


static void
fuzz_check_str(const torii_buf_t *pool, ingress_ref_t ref)
{
    if (ref.len == 0) {
        return;
    }

    if (ref.off % 8 || (size_t) ref.off + ref.len >= pool->len
        || pool->data[ref.off + ref.len] != '\0')
    {
        abort();
    }
}


static void
fuzz_check_text(const torii_buf_t *pool, ingress_ref_t ref)
{
    fuzz_check_str(pool, ref);

    if (torii_str_has_control(ingress_pool_str(pool, ref))) {
        abort();
    }
}


static void
fuzz_check_networks(const torii_buf_t *pool, ingress_ref_t ref)
{
    uint32_t                  i;
    torii_str_t               list;
    const ingress_network_t  *net;

    list = ingress_pool_str(pool, ref);
    net = (const ingress_network_t *) (const void *) list.data;

    if (list.len % sizeof(ingress_network_t)) {
        abort();
    }

    for (i = 0; i < list.len / sizeof(ingress_network_t); i++) {
        if (net[i].bits > 128
            || !ingress_network_match(net,
                                      list.len / sizeof(ingress_network_t),
                                      net[i].addr))
        {
            abort();
        }
    }
}


static void
fuzz_check_policy(const ingress_policy_t *policy, const torii_buf_t *pool)
{
    uint32_t                i;
    torii_str_t             list;
    const ingress_ref_t    *ref;
    const ingress_entry_t  *entry;

    for (i = 0; i < ingress_policy_nrefs; i++) {
        ref = (const ingress_ref_t *) (const void *)
                  ((const unsigned char *) policy + ingress_policy_refs[i]);

        if (ref == &policy->cors_origins || ref == &policy->allow
            || ref == &policy->deny_list)
        {
            fuzz_check_str(pool, *ref);

        } else {
            fuzz_check_text(pool, *ref);
        }
    }

    fuzz_check_networks(pool, policy->allow);
    fuzz_check_networks(pool, policy->deny_list);

    list = ingress_pool_str(pool, policy->cors_origins);
    entry = (const ingress_entry_t *) (const void *) list.data;

    for (i = 0; i < list.len / sizeof(ingress_entry_t); i++) {
        fuzz_check_text(pool, entry[i].name);
        fuzz_check_text(pool, entry[i].value);
    }

    if (policy->protocol > INGRESS_FCGI
        || (policy->http_version != 10 && policy->http_version != 11)
        || policy->buffers_number < 2
        || policy->buffer_size < 1024
        || (policy->busy_buffers_size
            && (policy->busy_buffers_size < policy->buffer_size
                || policy->busy_buffers_size
                   > (policy->buffers_number - 1) * policy->buffer_size))
        || policy->read_timeout == 0
        || policy->read_timeout > INT32_MAX
        || (policy->redirect_code && policy->redirect.len == 0))
    {
        abort();
    }
}


static void
fuzz_check_list(const torii_buf_t *pool, ingress_ref_t ref)
{
    uint32_t              i;
    torii_str_t           list;
    const ingress_ref_t  *elt;

    fuzz_check_str(pool, ref);

    list = ingress_pool_str(pool, ref);
    elt = (const ingress_ref_t *) (const void *) list.data;

    for (i = 0; i < list.len / sizeof(ingress_ref_t); i++) {
        fuzz_check_text(pool, elt[i]);
    }
}


/* Whoever is asked, no client has chosen: host stands for what was matched. */

static void
fuzz_check_template(const torii_buf_t *pool, ingress_ref_t ref, int url)
{
    size_t                          k, skip;
    uint32_t                        i;
    torii_str_t                     list, name, text;
    const ingress_template_part_t  *part;

    fuzz_check_str(pool, ref);

    list = ingress_pool_str(pool, ref);
    part = (const ingress_template_part_t *) (const void *) list.data;

    for (i = 0; i < list.len / sizeof(ingress_template_part_t); i++) {
        fuzz_check_text(pool, part[i].name);
        fuzz_check_text(pool, part[i].value);

        name = ingress_pool_str(pool, part[i].name);
        text = ingress_pool_str(pool, part[i].value);

        if ((name.len != 0) == (text.len != 0)
            || (name.len && !ingress_login_variable(name)))
        {
            abort();
        }

        if (!url) {
            continue;
        }

        if (name.len && !torii_str_eqs(name, "host")) {
            abort();
        }

        skip = 0;

        if (i == 0) {
            skip = torii_str_starts(text, "http://") ? 7
                   : torii_str_starts(text, "https://") ? 8 : 0;

            if (skip == 0) {
                abort();
            }
        }

        for (k = skip; k < text.len; k++) {
            url &= (text.data[k] != '/' && text.data[k] != '?');
        }
    }
}


static void
fuzz_check_login(const ingress_login_setting_t *from, const torii_buf_t *pool)
{
    uint32_t                       i;
    torii_buf_t                    own;
    torii_str_t                    list;
    ingress_login_setting_t        login;
    const ingress_login_header_t  *header;

    memset(&own, 0, sizeof(own));
    memcpy(&login, from, sizeof(login));

    ingress_login_move(&login, pool->data, ingress_login_to_pool, &own);

    if (login.asked & (INGRESS_LOGIN_BY_URL | INGRESS_LOGIN_BY_CONFIG)) {
        if (login.record.url.len == 0) {
            abort();
        }
    }

    fuzz_check_template(&own, login.record.url, 1);
    fuzz_check_template(&own, login.record.signin, 0);
    fuzz_check_template(&own, login.record.request_redirect, 0);
    fuzz_check_template(&own, login.record.cache_key, 0);
    fuzz_check_list(&own, login.record.emails);
    fuzz_check_list(&own, login.record.domains);
    fuzz_check_list(&own, login.record.groups);
    fuzz_check_list(&own, login.record.write_groups);
    fuzz_check_list(&own, login.record.response_headers);
    fuzz_check_text(&own, login.record.method);
    fuzz_check_text(&own, login.record.signin_param);
    fuzz_check_text(&own, login.provider);
    fuzz_check_text(&own, login.host);
    fuzz_check_text(&own, login.query);

    list = ingress_pool_str(&own, login.record.set_headers);
    header = (const ingress_login_header_t *) (const void *) list.data;

    for (i = 0; i < list.len / sizeof(ingress_login_header_t); i++) {
        fuzz_check_text(&own, header[i].name);
        fuzz_check_template(&own, header[i].value, 0);
    }

    torii_buf_free(&own);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    torii_str_t            rest, pair;
    fuzz_input_t           in;
    ingress_config_t      *config;
    ingress_findings_t     findings;
    ingress_annotations_t  ann;

    memset(&in, 0, sizeof(fuzz_input_t));

    in.arena = torii_arena_create(1024);
    in.ingress.namespace = torii_str("default");
    in.ingress.name = torii_str("web");
    in.config = in.ingress;

    rest.data = torii_arena_alloc(in.arena, size + 1);
    rest.len = size;
    memcpy(rest.data, data, size);

    while (torii_str_next(&rest, "|", &pair)) {
        fuzz_pair(&in, pair);
    }

    in.ingress.annotations.elts = in.annotations;
    in.ingress.annotations.n = in.nannotations;
    in.config.u.configmap.data.elts = in.keys;
    in.config.u.configmap.data.n = in.nkeys;

    ingress_findings_init(&findings, in.arena);

    config = ingress_config_parse(&in.config, &findings);
    fuzz_check_policy(&config->policy, &config->pool);
    fuzz_check_text(&config->pool, config->global.hsts_value);
    fuzz_check_text(&config->pool, config->global.forwarded_for_header);
    fuzz_check_networks(&config->pool, config->global.real_ip_networks);

    fuzz_check_login(&config->login, &config->pool);

    ingress_annotations_parse(&ann, &in.ingress, config, &findings);
    fuzz_check_login(&ann.login, &ann.pool);
    fuzz_check_policy(&ann.policy, &ann.pool);
    fuzz_check_text(&ann.pool, ann.app_root);
    fuzz_check_text(&ann.pool, ann.ssl_ciphers);
    fuzz_check_text(&ann.pool, ann.proxy_ssl_namespace);
    fuzz_check_text(&ann.pool, ann.proxy_ssl_secret);
    fuzz_check_str(&ann.pool, ann.server_alias);

    (void) ingress_cors_match(&ann.policy, ann.pool.data, in.origin);

    ingress_annotations_free(&ann);
    ingress_config_free(config);
    torii_arena_destroy(in.arena);

    return 0;
}
