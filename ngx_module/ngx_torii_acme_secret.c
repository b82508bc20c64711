
/*
 * TLS Secrets as cert-manager leaves them, so that it can take over again, and
 * a copy of each: a Secret that somebody deletes is there again without an
 * order.  Where somebody else keeps changing what we wrote, we give way.
 */

#include "ngx_torii_acme_cluster.h"
#include "acme_cert.h"


#define NGX_TORII_SECRET_FIGHT  3600000000ULL   /* us between two changes */
#define NGX_TORII_SECRET_GROUP  "cert-manager.io"


static ngx_torii_copy_t *ngx_torii_copy_find(ngx_torii_cluster_t *c,
    torii_str_t id);
static ngx_torii_copy_t *ngx_torii_copy_set(ngx_torii_cluster_t *c,
    torii_str_t id, torii_str_t chain, torii_str_t key);
static void ngx_torii_copy_wipe(ngx_torii_copy_t *copy);
static uint64_t ngx_torii_copy_hash(torii_str_t chain, torii_str_t key);
static torii_str_t ngx_torii_copy_str(torii_str_t s);

static ngx_torii_write_t *ngx_torii_secret_write(ngx_torii_cluster_t *c,
    ngx_torii_wanted_t *wanted, ngx_torii_copy_t *copy, uint32_t ticket,
    ngx_uint_t restore);
static void ngx_torii_secret_send(ngx_torii_write_t *w,
    ngx_torii_wanted_t *wanted);
static void ngx_torii_secret_written(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static void ngx_torii_secret_copy(ngx_torii_write_t *w);
static void ngx_torii_secret_copied(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static void ngx_torii_secret_end(ngx_torii_write_t *w, ngx_uint_t ok);

static void ngx_torii_secret_pairs(torii_buf_t *b,
    const ingress_pairs_t *pairs);
static void ngx_torii_secret_note(torii_buf_t *b, const char *name,
    torii_str_t value);


void
ngx_torii_copies_init(ngx_torii_cluster_t *c)
{
    ngx_rbtree_init(&c->copies, &c->sentinel, ngx_str_rbtree_insert_value);
}


void
ngx_torii_copies_free(ngx_torii_cluster_t *c)
{
    ngx_rbtree_node_t  *node;
    ngx_torii_copy_t   *copy;

    while (c->copies.root != &c->sentinel) {
        node = ngx_rbtree_min(c->copies.root, &c->sentinel);
        copy = (ngx_torii_copy_t *) node;

        ngx_rbtree_delete(&c->copies, node);
        ngx_torii_copy_wipe(copy);
        free(copy);
    }
}


static ngx_torii_copy_t *
ngx_torii_copy_find(ngx_torii_cluster_t *c, torii_str_t id)
{
    ngx_str_t  name;

    name.len = id.len;
    name.data = id.data;

    return (ngx_torii_copy_t *) ngx_str_rbtree_lookup(&c->copies, &name,
                                              ngx_crc32_long(id.data, id.len));
}


static ngx_torii_copy_t *
ngx_torii_copy_set(ngx_torii_cluster_t *c, torii_str_t id, torii_str_t chain,
    torii_str_t key)
{
    uint64_t           hash;
    ngx_torii_copy_t  *copy;

    copy = ngx_torii_copy_find(c, id);

    if (copy == NULL) {
        copy = torii_zalloc(sizeof(ngx_torii_copy_t) + id.len);

        copy->sn.str.data = (u_char *) (copy + 1);
        copy->sn.str.len = id.len;
        ngx_memcpy(copy->sn.str.data, id.data, id.len);
        copy->sn.node.key = ngx_crc32_long(id.data, id.len);

        ngx_rbtree_insert(&c->copies, &copy->sn.node);
    }

    hash = ngx_torii_copy_hash(chain, key);

    if (hash == copy->hash) {
        return copy;
    }

    ngx_torii_copy_wipe(copy);

    copy->chain = ngx_torii_copy_str(chain);
    copy->key = ngx_torii_copy_str(key);
    copy->before = copy->seen ? copy->seen : copy->hash;
    copy->hash = hash;
    copy->seen = hash;

    return copy;
}


static void
ngx_torii_copy_wipe(ngx_torii_copy_t *copy)
{
    if (copy->key.data) {
        ngx_explicit_memzero(copy->key.data, copy->key.len);
    }

    free(copy->chain.data);
    free(copy->key.data);
}


static uint64_t
ngx_torii_copy_hash(torii_str_t chain, torii_str_t key)
{
    uint64_t  hash;

    hash = torii_hash(chain.data, chain.len, chain.len);
    hash = torii_hash(key.data, key.len, hash);

    return hash ? hash : 1;
}


static torii_str_t
ngx_torii_copy_str(torii_str_t s)
{
    torii_str_t  copy;

    copy.data = torii_malloc(s.len + 1);
    copy.len = s.len;

    if (s.len) {
        ngx_memcpy(copy.data, s.data, s.len);
    }

    return copy;
}


/* The key, then the chain. */

void
ngx_torii_copy_load(ngx_torii_cluster_t *c, torii_str_t name, torii_str_t pem)
{
    u_char            *p;
    torii_str_t        chain, key;
    ngx_torii_copy_t  *copy;

    static char        begin[] = "-----BEGIN CERTIFICATE-----";

    p = memmem(pem.data, pem.len, begin, sizeof(begin) - 1);

    if (p == NULL) {
        return;
    }

    key.data = pem.data;
    key.len = p - pem.data;
    chain.data = p;
    chain.len = pem.data + pem.len - p;

    copy = ngx_torii_copy_set(c, name, chain, key);

    /* what the Secret holds at the first look is no change */

    copy->seen = 0;
}


ngx_uint_t
ngx_torii_copy_forget(ngx_torii_cluster_t *c, torii_str_t id)
{
    ngx_torii_copy_t  *copy;

    copy = ngx_torii_copy_find(c, id);

    if (copy == NULL) {
        return 0;
    }

    ngx_rbtree_delete(&c->copies, &copy->sn.node);
    ngx_torii_copy_wipe(copy);
    free(copy);

    return 1;
}


ngx_int_t
ngx_torii_cluster_certificate(ngx_torii_acme_t *a,
    const acme_action_t *action)
{
    ngx_torii_copy_t     *copy;
    ngx_torii_write_t    *w;
    ngx_torii_wanted_t   *wanted;
    ngx_torii_cluster_t  *c;

    c = a->keeping;
    wanted = ngx_torii_acme_wanted(a, action->want);

    if (wanted == NULL) {
        return NGX_ERROR;
    }

    copy = ngx_torii_copy_set(c, action->want, action->chain, action->key);

    w = ngx_torii_secret_write(c, wanted, copy, action->ticket, 0);

    if (copy->stopped) {
        ngx_torii_secret_copy(w);

    } else {
        ngx_torii_secret_send(w, wanted);
    }

    return NGX_AGAIN;
}


static ngx_torii_write_t *
ngx_torii_secret_write(ngx_torii_cluster_t *c, ngx_torii_wanted_t *wanted,
    ngx_torii_copy_t *copy, uint32_t ticket, ngx_uint_t restore)
{
    ngx_torii_write_t  *w;

    w = ngx_torii_write_create(c, ticket, "certificate", wanted->id);

    w->id = w->subject;
    w->chain = torii_arena_str(w->arena, copy->chain);
    w->key = torii_arena_str(w->arena, copy->key);
    w->restore = restore;

    copy->busy = 1;

    return w;
}


/* The type of a Secret cannot be changed: one that is there keeps its own. */

static void
ngx_torii_secret_send(ngx_torii_write_t *w, ngx_torii_wanted_t *wanted)
{
    torii_buf_t        body;
    torii_str_t        s, type;
    ingress_object_t  *o;

    type = torii_str("kubernetes.io/tls");

    o = ingress_store_get(w->cluster->acme->helper->store,
                          INGRESS_KIND_SECRET, wanted->namespace,
                          wanted->secret);

    if (o && o->u.secret.type.len) {
        type = o->u.secret.type;
    }

    ngx_memzero(&body, sizeof(torii_buf_t));

    torii_buf_adds(&body, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\","
                   "\"metadata\":{\"name\":");
    torii_buf_add_json(&body, wanted->secret);
    torii_buf_adds(&body, ",\"namespace\":");
    torii_buf_add_json(&body, wanted->namespace);
    torii_buf_adds(&body, ",");
    torii_buf_add_str(&body, wanted->metadata);
    torii_buf_adds(&body, "},\"type\":");
    torii_buf_add_json(&body, type);
    torii_buf_adds(&body, ",\"data\":{\"tls.crt\":");
    ngx_torii_write_base64(&body, w->chain);
    torii_buf_adds(&body, ",\"tls.key\":");
    ngx_torii_write_base64(&body, w->key);
    torii_buf_adds(&body, "}}");

    s.data = body.data;
    s.len = body.len;

    ngx_torii_write_apply(w, wanted->namespace, wanted->secret, s,
                          ngx_torii_secret_written);

    ngx_explicit_memzero(body.data, body.size);
    torii_buf_free(&body);
}


static void
ngx_torii_secret_written(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_write_t *w = data;

    ngx_torii_acme_t  *a;

    a = w->cluster->acme;

    if (!ngx_torii_write_ok(w, answer, body)) {
        ngx_torii_secret_end(w, 0);
        return;
    }

    if (a->acme == NULL || a->term != w->term) {
        ngx_torii_write_free(w);
        return;
    }

    /* served before the watch tells of it */

    ngx_torii_certificate_kept(a, w->id, w->chain, w->key);

    if (w->restore) {
        ngx_torii_secret_end(w, 1);
        return;
    }

    ngx_torii_secret_copy(w);
}


static void
ngx_torii_secret_copy(ngx_torii_write_t *w)
{
    torii_str_t  name, pem;

    name = torii_arena_printf(w->arena, NGX_TORII_CLUSTER_COPIES "%.*s",
                              torii_str_arg(w->id));

    pem = torii_arena_printf(w->arena, "%.*s%.*s", torii_str_arg(w->key),
                             torii_str_arg(w->chain));

    ngx_torii_write_state(w, name, pem, ngx_torii_secret_copied);
}


static void
ngx_torii_secret_copied(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_write_t *w = data;

    ngx_torii_secret_end(w, ngx_torii_write_ok(w, answer, body));
}


static void
ngx_torii_secret_end(ngx_torii_write_t *w, ngx_uint_t ok)
{
    ngx_torii_acme_t  *a;
    ngx_torii_copy_t  *copy;

    a = w->cluster->acme;

    if (a->acme && a->term == w->term) {

        copy = ngx_torii_copy_find(w->cluster, w->id);

        if (copy) {
            copy->busy = 0;
        }

        /* one that is still missing is found so at the next look */

        if (!ok && w->restore) {
            a->version = 0;
        }
    }

    ngx_torii_write_done(w, ok);
}


/*
 * What the machine is told is there.  Of a Secret that is gone: our copy, which
 * is written again.  Of one that others change: what is in it, or, once they
 * have done so twice in an hour, our copy, so that nothing is ordered for it.
 */

void
ngx_torii_cluster_have(ngx_torii_acme_t *a, ngx_torii_wanted_t *w,
    torii_str_t *chain, torii_str_t *key)
{
    uint64_t              hash, now;
    ngx_torii_copy_t     *copy;
    ngx_torii_cluster_t  *c;

    c = a->keeping;
    copy = ngx_torii_copy_find(c, w->id);

    if (copy == NULL || copy->busy) {
        return;
    }

    if (chain->len == 0 && key->len == 0
        && ingress_store_get(a->helper->store, INGRESS_KIND_SECRET,
                             w->namespace, w->secret)
           == NULL)
    {
        copy->stopped = 0;
        *chain = copy->chain;
        *key = copy->key;

        ngx_log_error(NGX_LOG_NOTICE, a->log, 0,
                      "torii: Secret \"%*s\" is gone and written again",
                      w->id.len, w->id.data);

        ngx_torii_secret_send(ngx_torii_secret_write(c, w, copy, 0, 1), w);
        return;
    }

    hash = ngx_torii_copy_hash(*chain, *key);
    now = ngx_torii_publish_us();

    if (copy->seen == 0) {
        copy->seen = hash;

    } else if (hash != copy->seen && hash != copy->hash
               && hash != copy->before)
    {
        if (copy->changed && now - copy->changed < NGX_TORII_SECRET_FIGHT
            && !copy->stopped)
        {
            copy->stopped = 1;
            ngx_torii_notice_add(a, w->id, "SecretContested", 1,
                                 torii_str("somebody else has changed this "
                                           "Secret twice within an hour: it "
                                           "is not written any more, until "
                                           "it is deleted"));
        }

        copy->changed = now;
        copy->seen = hash;

    } else if (hash == copy->hash) {
        copy->seen = hash;
    }

    if (copy->stopped) {
        *chain = copy->chain;
        *key = copy->key;
    }
}


/* Labels and annotations, as a part of JSON. */

ngx_int_t
ngx_torii_cluster_wanted(ngx_torii_acme_t *a, ngx_torii_wanted_t *w,
    const ingress_issue_t *issue)
{
    uint32_t      i;
    ngx_int_t     rc;
    torii_buf_t   b, names[2], *list;
    torii_str_t   s, owner;

    /* what is there and not known would be issued anew, unless it is ours */

    rc = ngx_torii_kubernetes_secret(a->helper, w->namespace, w->secret);

    if (rc == NGX_DECLINED
        || (rc == NGX_AGAIN && ngx_torii_copy_find(a->keeping, w->id) == NULL
            && ingress_store_get(a->helper->store, INGRESS_KIND_SECRET,
                                 w->namespace, w->secret)
               == NULL))
    {
        return rc;
    }

    ngx_memzero(&b, sizeof(torii_buf_t));
    ngx_memzero(names, sizeof(names));

    for (i = 0; i < issue->n; i++) {
        list = &names[acme_name_is_ip(issue->names[i].name) ? 1 : 0];
        torii_buf_adds(list, list->len ? "," : "");
        torii_buf_add_str(list, issue->names[i].name);
    }

    /* for an Ingress cert-manager makes a Certificate of the Secret's name */

    owner = issue->owner->kind == INGRESS_KIND_CERTIFICATE
            ? issue->owner->name : issue->secret;

    torii_buf_adds(&b, "\"labels\":{");
    ngx_torii_secret_pairs(&b, issue->template_labels);
    torii_buf_adds(&b, "\"controller.cert-manager.io/fao\":\"true\"},"
                   "\"annotations\":{");
    ngx_torii_secret_pairs(&b, issue->template_annotations);

    ngx_torii_secret_note(&b, "certificate-name", owner);
    torii_buf_adds(&b, ",");
    ngx_torii_secret_note(&b, "issuer-name", w->issuer);
    torii_buf_adds(&b, ",");
    ngx_torii_secret_note(&b, "issuer-kind", w->issuer_kind);
    torii_buf_adds(&b, ",");
    ngx_torii_secret_note(&b, "issuer-group",
                          torii_str(NGX_TORII_SECRET_GROUP));
    torii_buf_adds(&b, ",");

    s.data = names[0].data;
    s.len = names[0].len;
    ngx_torii_secret_note(&b, "alt-names", s);
    torii_buf_adds(&b, ",");

    s.data = names[1].data;
    s.len = names[1].len;
    ngx_torii_secret_note(&b, "ip-sans", s);
    torii_buf_adds(&b, ",");
    ngx_torii_secret_note(&b, "uri-sans", torii_str(""));
    torii_buf_adds(&b, ",");
    ngx_torii_secret_note(&b, "common-name", issue->common_name);
    torii_buf_adds(&b, "}");

    s.data = b.data;
    s.len = b.len;
    w->metadata = torii_arena_str(a->arena, s);

    torii_buf_free(&b);
    torii_buf_free(&names[0]);
    torii_buf_free(&names[1]);

    return NGX_OK;
}


/* A name that is ours to set is not the template's to say twice. */

static void
ngx_torii_secret_pairs(torii_buf_t *b, const ingress_pairs_t *pairs)
{
    uint32_t               i;
    const ingress_pair_t  *pair;

    for (i = 0; i < pairs->n; i++) {
        pair = &pairs->elts[i];

        if (torii_str_starts(pair->name, NGX_TORII_SECRET_GROUP "/")
            || torii_str_starts(pair->name, "controller."
                                NGX_TORII_SECRET_GROUP "/"))
        {
            continue;
        }

        torii_buf_add_json(b, pair->name);
        torii_buf_adds(b, ":");
        torii_buf_add_json(b, pair->value);
        torii_buf_adds(b, ",");
    }
}


static void
ngx_torii_secret_note(torii_buf_t *b, const char *name, torii_str_t value)
{
    torii_buf_printf(b, "\"" NGX_TORII_SECRET_GROUP "/%s\":", name);
    torii_buf_add_json(b, value);
}
