
/*
 * Names that are not hosts of rules: aliases, and the "www" sibling that only
 * redirects.  They come when all hosts are known, which they never shadow.
 */

#include "ingress_compile.h"


#define INGRESS_NAME_LONGEST  253


static void ingress_alias_host(ingress_compile_t *c, uint32_t index);
static void ingress_alias_add(ingress_compile_t *c, uint32_t index,
    ingress_plan_t *plan, ingress_ref_t ref);
static uint32_t ingress_alias_target(ingress_compile_t *c, uint32_t index,
    torii_str_t name);
static uint32_t ingress_alias_paths(ingress_compile_t *c, uint32_t first,
    uint32_t n);
static int ingress_alias_valid(torii_str_t name);
static void ingress_sibling_host(ingress_compile_t *c, uint32_t index);


void
ingress_compile_names(ingress_compile_t *c)
{
    uint32_t  i, n;

    n = c->store->hosts.len / sizeof(ingress_host_t);

    for (i = 1; i < n; i++) {
        if (ingress_compile_host(c, i)->aliased) {
            ingress_alias_host(c, i);
        }
    }

    for (i = 1; i < n; i++) {
        if (ingress_compile_host(c, i)->www) {
            ingress_sibling_host(c, i);
        }
    }
}


/*
 * The oldest Ingress of the host that has aliases is heard.  Of several hosts
 * of one Ingress the first gets them: a name has one host.
 */

static void
ingress_alias_host(ingress_compile_t *c, uint32_t index)
{
    uint32_t         i;
    ingress_part_t  *part;

    part = ingress_compile_part(c, ingress_compile_host(c, index)->first);

    while (part->plan->naliases == 0) {
        part = ingress_compile_part(c, part->next);
    }

    if (part->plan->aliased == c->store->round) {
        return;
    }

    part->plan->aliased = c->store->round;

    for (i = 0; i < part->plan->naliases; i++) {
        ingress_alias_add(c, index, part->plan, part->plan->aliases[i]);
    }
}


static void
ingress_alias_add(ingress_compile_t *c, uint32_t index, ingress_plan_t *plan,
    ingress_ref_t ref)
{
    uint32_t                hash, target, known;
    torii_str_t             name;
    ingress_table_alias_t  *alias;

    name = ingress_plan_str(plan, ref);
    ref = ingress_plan_ref(plan, ref);

    if (name.data[0] == '~') {
        alias = ingress_writer_add(c->w, INGRESS_SECTION_ALIASES,
                                   sizeof(ingress_table_alias_t));
        alias->pattern.off = ref.off + 1;
        alias->pattern.len = ref.len - 1;
        alias->host = index;
        return;
    }

    if (!ingress_alias_valid(name)) {
        ingress_compile_finding(c, INGRESS_WARNING, "BadAlias", plan->item, 0,
                                INGRESS_ANNOTATION_PREFIX "server-alias", name,
                                "it is no host name; a regular expression "
                                "starts with \"~\"");
        return;
    }

    hash = (uint32_t) torii_hash(name.data, name.len, 0);
    known = ingress_writer_name_find(c->w, name, hash);

    if (known != INGRESS_NONE) {
        target = ingress_writer_at(c->w, NAMES, ingress_table_name_t,
                                   known)->host;

        if (target != index) {
            ingress_compile_finding(c, INGRESS_WARNING, "AliasConflict",
                                    plan->item, 0,
                                    INGRESS_ANNOTATION_PREFIX "server-alias",
                                    name, "the name belongs to a host or an "
                                    "alias that comes first; it is ignored "
                                    "here");
        }

        return;
    }

    target = ingress_alias_target(c, index, name);

    ingress_writer_name(c->w, ref, hash, target);
}


/*
 * Aliases that the host's certificate is not for are a host of their own: the
 * same paths, but the default certificate.
 */

static uint32_t
ingress_alias_target(ingress_compile_t *c, uint32_t index, torii_str_t name)
{
    unsigned               valid, both;
    ingress_host_t        *host;
    ingress_table_host_t  *from, *record;

    host = ingress_compile_host(c, index);

    both = (host->cert ? 1 : 0) | (host->cert2 ? 2 : 0);
    valid = 0;

    if (host->cert && ingress_cert_covers(host->cert, name)) {
        valid |= 1;
    }

    if (host->cert2 && ingress_cert_covers(host->cert2, name)) {
        valid |= 2;
    }

    if (valid == both) {
        return index;
    }

    if (host->copies[valid]) {
        return host->copies[valid];
    }

    record = ingress_writer_add(c->w, INGRESS_SECTION_HOSTS,
                                sizeof(ingress_table_host_t));
    from = ingress_writer_at(c->w, HOSTS, ingress_table_host_t, index);

    memcpy(record, from, sizeof(ingress_table_host_t));

    if (!(valid & 1)) {
        record->cert = (valid & 2) ? from->cert2 : INGRESS_NONE;
    }

    record->cert2 = INGRESS_NONE;
    record->exact = ingress_alias_paths(c, from->exact, from->nexact);
    record->prefix = ingress_alias_paths(c, from->prefix, from->nprefix);

    host->copies[valid] = ingress_writer_n(c->w, HOSTS, ingress_table_host_t)
                          - 1;

    return host->copies[valid];
}


/* A path belongs to one host only. */

static uint32_t
ingress_alias_paths(ingress_compile_t *c, uint32_t first, uint32_t n)
{
    uint32_t               i, start;
    ingress_table_path_t  *from, *to;

    start = ingress_writer_n(c->w, PATHS, ingress_table_path_t);

    if (n == 0) {
        return start;
    }

    to = ingress_writer_add(c->w, INGRESS_SECTION_PATHS,
                            (size_t) n * sizeof(ingress_table_path_t));
    from = ingress_writer_at(c->w, PATHS, ingress_table_path_t, first);

    for (i = 0; i < n; i++) {
        to[i] = from[i];

        if (to[i].parent != INGRESS_NONE) {
            to[i].parent += start - first;
        }
    }

    return start;
}


static int
ingress_alias_valid(torii_str_t name)
{
    size_t         i;
    unsigned char  c;

    if (name.len > INGRESS_NAME_LONGEST) {
        return 0;
    }

    i = (name.len > 2 && name.data[0] == '*' && name.data[1] == '.') ? 2 : 0;

    for ( /* void */ ; i < name.len; i++) {
        c = name.data[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')
            && c != '-' && c != '_' && c != '.')
        {
            return 0;
        }
    }

    return 1;
}


/* from-to-www-redirect: "www.x" of x, x of "www.x", unless it exists. */

static void
ingress_sibling_host(ingress_compile_t *c, uint32_t index)
{
    uint32_t               hash;
    torii_str_t            name, sibling;
    ingress_ref_t          ref;
    unsigned char          buf[INGRESS_NAME_LONGEST];
    ingress_host_t        *host;
    ingress_table_host_t  *from, *record;

    host = ingress_compile_host(c, index);
    name = host->name;

    if (name.data[0] == '*') {
        return;
    }

    if (torii_str_starts(name, "www.")) {
        sibling.data = name.data + 4;
        sibling.len = name.len - 4;

    } else {
        if (name.len + 4 > sizeof(buf)) {
            return;
        }

        memcpy(buf, "www.", 4);
        memcpy(buf + 4, name.data, name.len);

        sibling.data = buf;
        sibling.len = name.len + 4;
    }

    hash = (uint32_t) torii_hash(sibling.data, sibling.len, 0);

    if (sibling.len == 0
        || ingress_writer_name_find(c->w, sibling, hash) != INGRESS_NONE)
    {
        return;
    }

    ref = ingress_writer_pool(c->w, sibling.data, sibling.len);

    record = ingress_writer_add(c->w, INGRESS_SECTION_HOSTS,
                                sizeof(ingress_table_host_t));
    from = ingress_writer_at(c->w, HOSTS, ingress_table_host_t, index);

    record->name = ref;
    record->www_target = from->name;
    record->flags = from->flags & INGRESS_HOST_TLS;
    record->ssl_ciphers = from->ssl_ciphers;
    record->ssl_prefer_server_ciphers = from->ssl_prefer_server_ciphers;
    record->cert = INGRESS_NONE;
    record->cert2 = INGRESS_NONE;

    if (host->cert && ingress_cert_covers(host->cert, sibling)) {
        record->cert = from->cert;

        if (host->cert2 && ingress_cert_covers(host->cert2, sibling)) {
            record->cert2 = from->cert2;
        }
    }

    ingress_writer_name(c->w, ref, hash,
                        ingress_writer_n(c->w, HOSTS, ingress_table_host_t)
                        - 1);
}
