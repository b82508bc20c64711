
/*
 * What DNS keeps between two helpers, all of it hints that may be lost; and
 * who this gateway is in zones, which must not change: what it wrote would be
 * another's.  Gateways that have one owner's id by mistake are told apart by
 * where they keep this: each has a state folder, or a Lease, of its own.
 */

#include "ngx_torii_dnssync.h"
#include "ngx_torii_file.h"
#include "ingress_api.h"

#include <openssl/evp.h>
#include <openssl/rand.h>


#define NGX_TORII_DNSSYNC_OWNER    "owner"       /* a file */
#define NGX_TORII_DNSSYNC_WHO      "writer"      /* another one */
#define NGX_TORII_DNSSYNC_MACHINE  "/etc/machine-id"
#define NGX_TORII_DNSSYNC_ASK      10000         /* ms, of the API */
#define NGX_TORII_DNSSYNC_RETRY    5000000       /* us */


static void ngx_torii_dnssync_loaded(void *ctx, torii_str_t name,
    torii_str_t data);
static ngx_uint_t ngx_torii_dnssync_word(torii_str_t text);
static u_char *ngx_torii_dnssync_random(u_char *p);
static ngx_int_t ngx_torii_dnssync_own(ngx_torii_dnssync_t *d,
    torii_str_t owner);
static ngx_int_t ngx_torii_dnssync_machine(ngx_torii_dnssync_t *d);
static void ngx_torii_dnssync_ask(ngx_torii_dnssync_t *d);
static void ngx_torii_dnssync_asked(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);
static ngx_int_t ngx_torii_dnssync_cluster(ngx_torii_dnssync_t *d,
    torii_str_t body);
static void ngx_torii_dnssync_lease(ngx_torii_dnssync_t *d);


static const torii_tree_limits_t  ngx_torii_dnssync_limits = {
    1024 * 1024, 10000, 32
};


void
ngx_torii_dnssync_load(ngx_torii_dnssync_t *d)
{
    ngx_torii_file_each(&d->dir, ngx_torii_dnssync_loaded, d, d->log);
}


static void
ngx_torii_dnssync_loaded(void *ctx, torii_str_t name, torii_str_t data)
{
    ngx_torii_dnssync_t *d = ctx;

    if (torii_str_eqs(name, NGX_TORII_DNSSYNC_OWNER)
        || torii_str_eqs(name, NGX_TORII_DNSSYNC_WHO))
    {
        return;
    }

    if (dnssync_engine_load(d->engine, name, data) != TORII_OK) {
        ngx_log_error(NGX_LOG_WARN, d->log, 0,
                      "torii: \"%V/%*s\" is damaged, the zone is read anew",
                      &d->dir, name.len, name.data);
    }
}


void
ngx_torii_dnssync_save(ngx_torii_dnssync_t *d, const dnssync_action_t *action)
{
    if (action->data.len == 0) {
        (void) ngx_torii_file_remove(&d->dir, action->name, d->log);
        return;
    }

    (void) ngx_torii_file_write(&d->dir, action->name, action->data, 0,
                                d->log);
}


/* A writer that cannot be kept is another one after the next start, which may
   hold deletions up for as long as this one's lock counts. */

torii_str_t
ngx_torii_dnssync_instance(ngx_torii_dnssync_t *d,
    u_char buf[NGX_TORII_DNSSYNC_INSTANCE])
{
    u_char         *p;
    torii_str_t     instance, writer;
    torii_arena_t  *arena;

    arena = torii_arena_create(512);
    writer = d->lease;

    if (!ngx_torii_dnssync_word(writer)) {
        writer = ngx_torii_file_get(&d->dir, torii_str(NGX_TORII_DNSSYNC_WHO),
                                    arena);
        writer = torii_str_trim(writer);
    }

    if (ngx_torii_dnssync_word(writer)) {
        p = ngx_cpymem(buf, writer.data, writer.len);

    } else {
        p = ngx_torii_dnssync_random(buf);

        writer.data = buf;
        writer.len = p - buf;

        (void) ngx_torii_file_write(&d->dir, torii_str(NGX_TORII_DNSSYNC_WHO),
                                    writer, 1, d->log);
    }

    *p++ = '.';

    instance.data = buf;
    instance.len = ngx_torii_dnssync_random(p) - buf;

    torii_arena_destroy(arena);

    return instance;
}


/* Of a uid or a random number: no dot ends it, and nothing needs an escape. */

static ngx_uint_t
ngx_torii_dnssync_word(torii_str_t text)
{
    size_t  i;
    u_char  c;

    for (i = 0; i < text.len; i++) {
        c = text.data[i] | 0x20;

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
              || text.data[i] == '-'))
        {
            return 0;
        }
    }

    return text.len && text.len <= NGX_TORII_DNSSYNC_WRITER;
}


static u_char *
ngx_torii_dnssync_random(u_char *p)
{
    uint64_t  n;

    if (RAND_bytes((u_char *) &n, sizeof(n)) != 1) {
        n = ngx_torii_publish_us() ^ (uint64_t) ngx_pid << 32;
    }

    return ngx_hex_dump(p, (u_char *) &n, sizeof(n));
}


ngx_int_t
ngx_torii_dnssync_owner(ngx_torii_dnssync_t *d)
{
    torii_str_t     owner;
    torii_arena_t  *arena;

    if (d->owner.len) {
        return NGX_OK;
    }

    owner.len = d->helper->tmcf->dns.owner.len;
    owner.data = d->helper->tmcf->dns.owner.data;

    if (owner.len) {
        return ngx_torii_dnssync_own(d, owner);
    }

    if (d->helper->tmcf->kubernetes.enable) {
        ngx_torii_dnssync_ask(d);
        return d->owner.len ? NGX_OK : NGX_AGAIN;
    }

    /* a state folder that moves to another machine stays who it is */

    arena = torii_arena_create(512);

    owner = ngx_torii_file_get(&d->dir, torii_str(NGX_TORII_DNSSYNC_OWNER),
                               arena);
    owner = torii_str_trim(owner);

    if (owner.len && owner.len <= DNSSYNC_OWNER_MAX
        && !torii_str_has_control(owner))
    {
        (void) ngx_torii_dnssync_own(d, owner);
    }

    torii_arena_destroy(arena);

    return d->owner.len ? NGX_OK : ngx_torii_dnssync_machine(d);
}


static ngx_int_t
ngx_torii_dnssync_own(ngx_torii_dnssync_t *d, torii_str_t owner)
{
    d->owner.data = ngx_pnalloc(d->helper->pool, owner.len);
    if (d->owner.data == NULL) {
        return NGX_AGAIN;
    }

    ngx_memcpy(d->owner.data, owner.data, owner.len);
    d->owner.len = owner.len;

    ngx_log_error(NGX_LOG_NOTICE, d->log, 0,
                  "torii: records in DNS are marked as of \"%*s\"", owner.len,
                  owner.data);

    return NGX_OK;
}


/* machine-id(5) is not to be told to others: so a hash of it, and not of it
   alone.  Without one a random number has to do. */

static ngx_int_t
ngx_torii_dnssync_machine(ngx_torii_dnssync_t *d)
{
    int             fd;
    u_char          hash[EVP_MAX_MD_SIZE], id[64 + 64], text[32];
    size_t          len;
    ssize_t         n;
    torii_str_t     owner;

    static const u_char  salt[] = "torii: owner of records in DNS: ";

    ngx_memcpy(id, salt, sizeof(salt));
    len = sizeof(salt);
    n = 0;

    fd = open(NGX_TORII_DNSSYNC_MACHINE, O_RDONLY|O_CLOEXEC);

    if (fd != -1) {
        n = read(fd, id + len, 64);
        close(fd);
    }

    if (n < 32) {
        n = 32;

        if (RAND_bytes(id + len, n) != 1) {
            return NGX_AGAIN;
        }
    }

    len += n;

    if (EVP_Digest(id, len, hash, NULL, EVP_sha256(), NULL) != 1) {
        return NGX_AGAIN;
    }

    owner.data = text;
    owner.len = ngx_hex_dump(ngx_cpymem(text, "torii-", 6), hash, 8) - text;

    /* what is written to zones has to be known again tomorrow */

    if (ngx_torii_file_write(&d->dir, torii_str(NGX_TORII_DNSSYNC_OWNER),
                             owner, 1, d->log)
        != NGX_OK)
    {
        d->ask = ngx_torii_publish_us() + NGX_TORII_DNSSYNC_RETRY;
        return NGX_AGAIN;
    }

    return ngx_torii_dnssync_own(d, owner);
}


/*
 * Two clusters may well have gateways of one name: what tells them apart is the
 * uid of a namespace that each has.
 */

static void
ngx_torii_dnssync_ask(ngx_torii_dnssync_t *d)
{
    ingress_api_request_t  req;

    if (d->api == NULL || d->asking || ngx_torii_publish_us() < d->ask) {
        return;
    }

    ngx_memzero(&req, sizeof(ingress_api_request_t));

    req.method = "GET";
    req.path = torii_str("/api/v1/namespaces/kube-system");
    req.timeout = NGX_TORII_DNSSYNC_ASK;

    d->asking = 1;

    ngx_torii_api_ask(d->api, &req, ngx_torii_dnssync_asked, d, 0);
}


static void
ngx_torii_dnssync_asked(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_dnssync_t *d = data;

    d->asking = 0;
    d->ask = ngx_torii_publish_us() + NGX_TORII_DNSSYNC_RETRY;

    if (answer->error == NULL && answer->status == 200
        && ngx_torii_dnssync_cluster(d, body) == NGX_OK)
    {
        ngx_torii_dnssync_look(d);
        return;
    }

    /* only a clear answer: a name that is guessed now is another one later */

    if (answer->error == NULL
        && (answer->status == 403 || answer->status == 404))
    {
        ngx_torii_dnssync_lease(d);
        ngx_torii_dnssync_look(d);
    }
}


static ngx_int_t
ngx_torii_dnssync_cluster(ngx_torii_dnssync_t *d, torii_str_t body)
{
    ngx_int_t            rc;
    torii_node_t        *doc;
    torii_arena_t       *arena;
    torii_tree_error_t   error;
    const torii_node_t  *uid;

    arena = torii_arena_create(4096);
    rc = NGX_ERROR;

    if (torii_tree_json(arena, body, &ngx_torii_dnssync_limits, &doc, &error)
        == TORII_OK)
    {
        uid = torii_node_get(torii_node_get(doc, "metadata"), "uid");

        if (uid && uid->type == TORII_NODE_STRING && uid->text.len
            && uid->text.len < DNSSYNC_OWNER_MAX - 16
            && !torii_str_has_control(uid->text))
        {
            rc = ngx_torii_dnssync_own(d, torii_arena_printf(arena,
                                          "cluster-%.*s",
                                          torii_str_arg(uid->text)));
        }
    }

    torii_arena_destroy(arena);

    return rc;
}


/* The Lease's name is that of all instances of this gateway, too. */

static void
ngx_torii_dnssync_lease(ngx_torii_dnssync_t *d)
{
    ngx_str_t      *leader;
    torii_str_t     owner;
    torii_arena_t  *arena;

    leader = &d->helper->tmcf->kubernetes.leader;
    arena = torii_arena_create(512);

    if (leader->len && !ngx_torii_writer_off(d->helper)) {
        owner.len = leader->len;
        owner.data = leader->data;

    } else {
        owner = ngx_torii_api_namespace(d->api);
        owner = torii_arena_printf(arena, "%.*s/torii", torii_str_arg(owner));
    }

    ngx_log_error(NGX_LOG_WARN, d->log, 0,
                  "torii: the namespace \"kube-system\" may not be read, by "
                  "which this cluster is known in DNS: of two clusters that "
                  "write to one zone only one may have a gateway \"%*s\", or "
                  "each says \"torii_dns owner=NAME\"", owner.len, owner.data);

    (void) ngx_torii_dnssync_own(d, owner);

    torii_arena_destroy(arena);
}
