
/*
 * What is there already.  PEM is read once, some in each call of acme_next(),
 * so that ten thousand of them do not hold up whoever waits for a first
 * certificate.
 */

#include <openssl/sha.h>

#include "acme_engine.h"


static void acme_have_look(acme_entry_t *e);
static int acme_have_known(acme_entry_t *e);
static void acme_have_expired(acme_entry_t *e, EVP_PKEY *key);
static void acme_entry_adopt(acme_entry_t *e);


void
acme_have_free(acme_have_t *have)
{
    torii_arena_destroy(have->arena);
    memset(have, 0, sizeof(acme_have_t));
}


/* By name, or one label of it by a wildcard (RFC 6125 section 6.4.3). */

static int
acme_chain_covers(const acme_chain_t *c, torii_str_t name)
{
    uint32_t     i;
    torii_str_t  parent, san;

    parent = name;

    while (parent.len && parent.data[0] != '.') {
        parent.data++;
        parent.len--;
    }

    for (i = 0; i < c->n; i++) {
        san = c->names[i];

        if (torii_str_eq(san, name)) {
            return 1;
        }

        if (parent.len && san.len > 1 && san.data[0] == '*'
            && !acme_name_is_ip(name) && name.data[0] != '*')
        {
            san.data++;
            san.len--;

            if (torii_str_eq(san, parent)) {
                return 1;
            }
        }
    }

    return 0;
}


int
acme_have_covers(const acme_entry_t *e)
{
    uint32_t  i;

    if (e->have.arena == NULL) {
        return 0;
    }

    for (i = 0; i < e->want.n; i++) {
        if (!acme_chain_covers(&e->have.chain, e->want.names[i].name)) {
            return 0;
        }
    }

    return 1;
}


int
acme_have_read(acme_t *acme, acme_have_t *have, torii_str_t pem,
    EVP_PKEY *key, char error[256])
{
    int             rc;
    int64_t         now;
    torii_arena_t  *a;

    now = (int64_t) (acme->now / 1000);
    a = torii_arena_create(1024);

    rc = acme_chain_read(a, pem, key, NULL, now, &have->chain, error);

    if (rc != TORII_OK) {

        /* a clock that is behind is no reason to issue all anew */

        rc = acme_chain_read(a, pem, key, NULL, now + 2 * 86400, &have->chain,
                             error);
    }

    if (rc != TORII_OK) {
        torii_arena_destroy(a);
        return TORII_ERROR;
    }

    have->arena = a;

    return TORII_OK;
}


void
acme_have_mark(torii_str_t chain, torii_str_t key, torii_buf_t *mark)
{
    unsigned char  digests[2 * SHA256_DIGEST_LENGTH];
    unsigned char  digest[SHA256_DIGEST_LENGTH];

    chain = torii_str_trim(chain);
    key = torii_str_trim(key);

    SHA256(chain.data, chain.len, digests);
    SHA256(key.data, key.len, digests + SHA256_DIGEST_LENGTH);
    SHA256(digests, sizeof(digests), digest);

    torii_base64url_add(mark, digest, sizeof(digest));
}


void
acme_entry_check(acme_entry_t *e)
{
    acme_queue_remove(&e->check);
    acme_have_free(&e->have);

    if (e->chain.len) {
        acme_have_look(e);
    }

    acme_keep(&e->chain, torii_str(""));

    if (!e->want.reuse_key) {
        acme_keep(&e->key, torii_str(""));
    }

    e->checked = 1;
    e->stale = 0;
    e->handed = 0;

    acme_ari_start(e);
    acme_entry_adopt(e);
    acme_plan(e);
}


/*
 * The key and the signatures cost ten times what the rest does: of what was
 * found to be good, byte for byte, they are not looked at again.
 */

static void
acme_have_look(acme_entry_t *e)
{
    char          error[256];
    EVP_PKEY     *key;
    torii_buf_t   mark = { NULL, 0, 0 };
    torii_str_t   s;

    acme_have_mark(e->chain, e->key, &mark);
    s.data = mark.data;
    s.len = mark.len;

    if (torii_str_eq(s, e->saved.sound) && acme_have_known(e) == TORII_OK) {
        torii_buf_free(&mark);
        return;
    }

    key = torii_key_read(e->key);

    if (key != NULL
        && acme_have_read(e->acme, &e->have, e->chain, key, error) == TORII_OK)
    {
        acme_keep(&e->saved.sound, s);

    } else if (key != NULL && e->want.no_renewal) {
        acme_have_expired(e, key);
    }

    EVP_PKEY_free(key);
    torii_buf_free(&mark);
}


static int
acme_have_known(acme_entry_t *e)
{
    char            error[256];
    int64_t         now;
    torii_arena_t  *a;

    now = (int64_t) (e->acme->now / 1000);
    a = torii_arena_create(1024);

    if (acme_chain_known(a, e->chain, now, &e->have.chain, error) != TORII_OK) {
        torii_arena_destroy(a);
        return TORII_ERROR;
    }

    e->have.arena = a;

    return TORII_OK;
}


/* What is expired is as good as nothing, unless it is to be left alone. */

static void
acme_have_expired(acme_entry_t *e, EVP_PKEY *key)
{
    char            error[256];
    int64_t         end;
    torii_arena_t  *a;

    end = e->have.chain.not_after;

    if (end <= 0 || end > (int64_t) (e->acme->now / 1000)) {
        return;
    }

    a = torii_arena_create(1024);

    if (acme_chain_read(a, e->chain, key, NULL, end - 1, &e->have.chain, error)
        != TORII_OK)
    {
        torii_arena_destroy(a);
        return;
    }

    e->have.arena = a;
}


/* What somebody else has made is used for as long as it is good. */

static void
acme_entry_adopt(acme_entry_t *e)
{
    if (!acme_have_covers(e)
        || torii_str_eq(e->have.chain.serial, e->saved.serial))
    {
        return;
    }

    acme_keep(&e->saved.serial, e->have.chain.serial);

    e->saved.issued = 0;
    e->saved.by = 0;
    e->saved.spec = acme_entry_spec(e);
    e->saved.life = e->have.chain.not_after - e->have.chain.not_before;
    acme_save(e);

    if (acme_plan_renewal(e) > e->acme->now) {
        acme_event(e->acme, e, torii_str(""), "Adopted", 0,
                   "the certificate that is there, of %.*s, is used until it "
                   "is due", torii_str_arg(e->have.chain.issuer));
    }
}
