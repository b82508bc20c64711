
/*
 * Accounts: from Secrets of our type to what the engine knows as providers.
 * Settings that are secrets may lie in files of this machine; in a cluster,
 * where those who write Secrets are not those whose files these are, they may
 * not.
 */

#include "ngx_torii_dnssync.h"


#define NGX_TORII_DNSSYNC_FILES    5000000       /* us between two looks */
#define NGX_TORII_DNSSYNC_FILE     65536         /* bytes of one */
#define NGX_TORII_DNSSYNC_OPTIONS  128
#define NGX_TORII_DNSSYNC_SECRETS  64

#define NGX_TORII_DNSSYNC_VIEW     "public"


typedef struct {
    const ingress_object_t   *object;
    torii_str_t               name;      /* "namespace/name" */
    torii_str_t               server;    /* of RFC 2136 */
    torii_str_t               view;
    dnssync_option_t         *options;
    uint32_t                  n;
    torii_str_t               why;       /* it cannot be used; or "" */
} ngx_torii_dnssync_secret_t;


/* One look. */

typedef struct {
    ngx_torii_dnssync_t         *dnssync;
    torii_arena_t               *arena;
    ngx_torii_dnssync_secret_t   secrets[NGX_TORII_DNSSYNC_SECRETS];
    uint32_t                     n;
    ngx_uint_t                   files;      /* settings in files */
    uint64_t                     hash;
} ngx_torii_dnssync_look_t;


/* What an account's settings are blamed on. */

typedef struct {
    ngx_torii_dnssync_t               *dnssync;
    const ngx_torii_dnssync_secret_t  *secret;
} ngx_torii_dnssync_blame_t;


static void ngx_torii_dnssync_secret(void *data, ingress_object_t *o);
static ngx_uint_t ngx_torii_dnssync_allowed(ngx_torii_dnssync_t *d,
    torii_str_t namespace);
static void ngx_torii_dnssync_options(ngx_torii_dnssync_look_t *look,
    ngx_torii_dnssync_secret_t *s);
static torii_str_t ngx_torii_dnssync_primary(ngx_torii_dnssync_look_t *look,
    const ngx_torii_dnssync_secret_t *s);
static void ngx_torii_dnssync_files(ngx_torii_dnssync_look_t *look,
    ngx_torii_dnssync_secret_t *s);
static ngx_uint_t ngx_torii_dnssync_projected(torii_str_t path);
static ngx_int_t ngx_torii_dnssync_file(torii_arena_t *arena,
    torii_str_t path, torii_str_t *value);
static void ngx_torii_dnssync_option(ngx_torii_dnssync_secret_t *s,
    torii_str_t name, torii_str_t value);
static torii_str_t ngx_torii_dnssync_setting(
    const ngx_torii_dnssync_secret_t *s, const char *name);
static void ngx_torii_dnssync_tell(ngx_torii_dnssync_t *d,
    const ngx_torii_dnssync_look_t *look);
static void ngx_torii_dnssync_tell_one(ngx_torii_dnssync_t *d,
    const ngx_torii_dnssync_secret_t *s);
static void ngx_torii_dnssync_unknown(void *data, torii_str_t name,
    const char *hint);
static ingress_finding_t *ngx_torii_dnssync_blame(ngx_torii_dnssync_t *d,
    const ngx_torii_dnssync_secret_t *s, ingress_severity_e severity,
    torii_str_t field, torii_str_t text);
static void ngx_torii_dnssync_places(ngx_torii_dnssync_t *d,
    const ngx_torii_dnssync_look_t *look);


void
ngx_torii_dnssync_accounts(ngx_torii_dnssync_t *d)
{
    ngx_uint_t                 complete;
    ngx_torii_dnssync_look_t   look;

    ngx_memzero(&look, sizeof(ngx_torii_dnssync_look_t));

    look.dnssync = d;
    look.arena = torii_arena_create(4096);

    ingress_store_each(d->helper->store, INGRESS_KIND_SECRET,
                       ngx_torii_dnssync_secret, &look);

    d->files = look.files ? ngx_torii_publish_us() + NGX_TORII_DNSSYNC_FILES
                          : UINT64_MAX;

    if (look.n && ngx_torii_dnssync_owner(d) != NGX_OK) {
        d->files = d->ask;
        goto done;
    }

    look.hash = torii_hash(d->owner.data, d->owner.len, look.hash + look.n);

    /* an account that is not seen may only be out of sight */

    complete = ngx_torii_dnssync_complete(d->helper);

    if (look.n < d->naccounts && !complete) {
        goto done;
    }

    d->naccounts = look.n;

    if (d->engine && look.hash != d->accounts_hash) {
        d->accounts_hash = look.hash;
        ngx_torii_dnssync_tell(d, &look);
    }

done:

    torii_arena_destroy(look.arena);
}


static void
ngx_torii_dnssync_secret(void *data, ingress_object_t *o)
{
    ngx_torii_dnssync_look_t *look = data;

    ngx_torii_dnssync_secret_t  *s;

    if (!torii_str_eqs(o->u.secret.type, NGX_TORII_DNSSYNC_TYPE)
        || o->deleting || look->n == NGX_TORII_DNSSYNC_SECRETS
        || !ngx_torii_dnssync_allowed(look->dnssync, o->namespace))
    {
        return;
    }

    s = &look->secrets[look->n++];

    s->object = o;
    s->name = torii_arena_printf(look->arena, "%.*s/%.*s",
                                 torii_str_arg(o->namespace),
                                 torii_str_arg(o->name));

    ngx_torii_dnssync_options(look, s);

    look->hash = torii_hash(s->name.data, s->name.len,
                            look->hash ^ o->version);
}


/* In a cluster: those of the gateway, not those of its users. */

static ngx_uint_t
ngx_torii_dnssync_allowed(ngx_torii_dnssync_t *d, torii_str_t namespace)
{
    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_http_torii_kubernetes_t  *k;

    k = &d->helper->tmcf->kubernetes;

    if (!k->enable) {
        return 1;
    }

    if (d->api && torii_str_eq(namespace, ngx_torii_api_namespace(d->api))) {
        return 1;
    }

    if (k->secrets == NULL) {
        return 0;
    }

    value = k->secrets->elts;

    for (i = 0; i < k->secrets->nelts; i++) {
        if (value[i].len == namespace.len
            && ngx_strncmp(value[i].data, namespace.data, namespace.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_torii_dnssync_options(ngx_torii_dnssync_look_t *look,
    ngx_torii_dnssync_secret_t *s)
{
    uint32_t                i;
    const ingress_pairs_t  *data;

    data = &s->object->u.secret.data;

    if (data->n > NGX_TORII_DNSSYNC_OPTIONS) {
        s->why = torii_str("it has too many settings");
        return;
    }

    s->options = torii_arena_alloc(look->arena,
                                   (2 * NGX_TORII_DNSSYNC_OPTIONS + 2)
                                   * sizeof(dnssync_option_t));

    for (i = 0; i < data->n; i++) {
        ngx_torii_dnssync_option(s, data->elts[i].name, data->elts[i].value);
    }

    ngx_torii_dnssync_files(look, s);

    s->view = ngx_torii_dnssync_setting(s, "view");

    if (s->view.len == 0) {
        s->view = torii_str(NGX_TORII_DNSSYNC_VIEW);
        ngx_torii_dnssync_option(s, torii_str("view"), s->view);
    }

    s->server = ngx_torii_dnssync_primary(look, s);
}


/* The first name server that changes go to, if it is one. */

static torii_str_t
ngx_torii_dnssync_primary(ngx_torii_dnssync_look_t *look,
    const ngx_torii_dnssync_secret_t *s)
{
    torii_str_t  server, list, port;

    server = torii_str("");

    if (!torii_str_eqs(ngx_torii_dnssync_setting(s, "provider"), "rfc2136")
        || ngx_torii_dnssync_setting(s, "tls").len
        || ngx_torii_dnssync_setting(s, "rfc2136-use-tls").len)
    {
        return server;
    }

    list = ngx_torii_dnssync_setting(s, "server");

    if (list.len) {
        (void) torii_str_next(&list, ",", &server);
        return torii_str_trim(server);
    }

    list = ngx_torii_dnssync_setting(s, "rfc2136-host");
    port = ngx_torii_dnssync_setting(s, "rfc2136-port");

    (void) torii_str_next(&list, ",", &server);
    server = torii_str_trim(server);

    if (server.len && port.len) {
        server = torii_arena_printf(look->arena, "%.*s:%.*s",
                                    torii_str_arg(server),
                                    torii_str_arg(port));
    }

    return server;
}


/* "api-key-file": the file's content is "api-key". */

static void
ngx_torii_dnssync_files(ngx_torii_dnssync_look_t *look,
    ngx_torii_dnssync_secret_t *s)
{
    torii_str_t               name, path, value;
    const dnssync_driver_t   *driver;
    const dnssync_setting_t  *setting;

    driver = dnssync_driver(ngx_torii_dnssync_setting(s, "provider"));

    if (driver == NULL) {
        return;
    }

    for (setting = driver->settings; setting->name; setting++) {

        if (!setting->secret) {
            continue;
        }

        name = torii_arena_printf(look->arena, "%s-file", setting->name);
        path = ngx_torii_dnssync_setting(s, (char *) name.data);

        if (path.len == 0
            || ngx_torii_dnssync_setting(s, setting->name).len)
        {
            continue;
        }

        if (look->dnssync->helper->tmcf->kubernetes.enable
            && !ngx_torii_dnssync_projected(path))
        {
            s->why = torii_str("settings in files are for one machine; in a "
                               "cluster they have to be in the Secret, but "
                               "for the tokens that AWS and Azure put into a "
                               "pod");
            return;
        }

        look->files = 1;

        if (ngx_torii_dnssync_file(look->arena, path, &value) != NGX_OK) {
            s->why = torii_arena_printf(look->arena, "%.*s, \"%.*s\", is no "
                                        "file that user %d can read, or "
                                        "empty, or too large",
                                        torii_str_arg(name),
                                        torii_str_arg(path), (int) getuid());
            look->hash++;
            return;
        }

        look->hash = torii_hash(value.data, value.len, look->hash);

        ngx_torii_dnssync_option(s, torii_str(setting->name), value);
    }
}


/*
 * What a cloud mounts for its own audience.  The pod's other files, the token
 * of the API among them, are not for those who write Secrets.
 */

static ngx_uint_t
ngx_torii_dnssync_projected(torii_str_t path)
{
    size_t                     i;
    const char  *const        *dir;

    static const char  *const  dirs[] = {
        "/var/run/secrets/eks.amazonaws.com/",
        "/var/run/secrets/pods.eks.amazonaws.com/",
        "/var/run/secrets/azure/tokens/",
        NULL
    };

    for (i = 1; i < path.len; i++) {
        if (path.data[i] == '.' && path.data[i - 1] == '.') {
            return 0;
        }
    }

    for (dir = dirs; *dir; dir++) {
        if (torii_str_starts(path, *dir)) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_torii_dnssync_file(torii_arena_t *arena, torii_str_t path,
    torii_str_t *value)
{
    int          fd;
    ssize_t      n;
    torii_str_t  name;
    struct stat  st;

    name = torii_arena_str(arena, torii_str_trim(path));

    if (name.data[0] != '/') {
        return NGX_ERROR;
    }

    fd = open((char *) name.data, O_RDONLY|O_NONBLOCK|O_CLOEXEC);
    if (fd == -1) {
        return NGX_ERROR;
    }

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)
        || st.st_size > NGX_TORII_DNSSYNC_FILE)
    {
        close(fd);
        return NGX_ERROR;
    }

    value->data = torii_arena_alloc(arena, st.st_size + 1);

    n = read(fd, value->data, (size_t) st.st_size);

    close(fd);

    if (n <= 0) {
        return NGX_ERROR;
    }

    value->len = n;

    return NGX_OK;
}


static void
ngx_torii_dnssync_option(ngx_torii_dnssync_secret_t *s, torii_str_t name,
    torii_str_t value)
{
    s->options[s->n].name = name;
    s->options[s->n].value = value;
    s->n++;
}


/* "--name" is the same, as the flags of ExternalDNS are written. */

static torii_str_t
ngx_torii_dnssync_setting(const ngx_torii_dnssync_secret_t *s,
    const char *name)
{
    uint32_t     i;
    torii_str_t  n;

    for (i = 0; i < s->n; i++) {
        n = s->options[i].name;

        if (torii_str_starts(n, "--")) {
            n.data += 2;
            n.len -= 2;
        }

        if (torii_str_eqs(n, name)) {
            return torii_str_trim(s->options[i].value);
        }
    }

    return torii_str("");
}


static void
ngx_torii_dnssync_tell(ngx_torii_dnssync_t *d,
    const ngx_torii_dnssync_look_t *look)
{
    uint32_t  i;

    torii_arena_destroy(d->accounts);

    d->accounts = torii_arena_create(1024);
    ingress_findings_init(&d->bad, d->accounts);

    ngx_torii_dnssync_places(d, look);

    dnssync_engine_begin(d->engine);

    for (i = 0; i < look->n; i++) {
        ngx_torii_dnssync_tell_one(d, &look->secrets[i]);
    }

    dnssync_engine_end(d->engine, ngx_torii_publish_ms());

    d->objects_hash = 0;
    d->dirty = 1;
}


static void
ngx_torii_dnssync_tell_one(ngx_torii_dnssync_t *d,
    const ngx_torii_dnssync_secret_t *s)
{
    uint32_t                    n;
    torii_str_t                 why;
    dnssync_account_t          *account;
    ngx_torii_dnssync_blame_t   blame;

    if (s->why.len) {
        (void) ngx_torii_dnssync_blame(d, s, INGRESS_ERROR, torii_str("data"),
                                       s->why);
        return;
    }

    n = s->n;

    if (ngx_torii_dnssync_setting(s, "txt-owner-id").len == 0) {
        s->options[n].name = torii_str("txt-owner-id");
        s->options[n].value = d->owner;
        n++;
    }

    account = dnssync_account_create(s->name, s->options, n, &why);

    if (account->driver) {
        blame.dnssync = d;
        blame.secret = s;
        dnssync_account_unknown(account, ngx_torii_dnssync_unknown, &blame);
    }

    if (why.len) {
        (void) ngx_torii_dnssync_blame(d, s, INGRESS_ERROR, torii_str("data"),
                                       why);
        dnssync_account_free(account);
        return;
    }

    dnssync_engine_account(d->engine, ngx_torii_publish_ms(), account);
}


static void
ngx_torii_dnssync_unknown(void *data, torii_str_t name, const char *hint)
{
    ngx_torii_dnssync_blame_t *blame = data;

    torii_str_t  text, field;

    text = torii_str("no provider of DNS has this setting");

    if (hint) {
        text = torii_arena_printf(blame->dnssync->accounts, "there is no such "
                                  "setting; did you mean \"%s\"?", hint);
    }

    field = torii_arena_printf(blame->dnssync->accounts, "data.%.*s",
                               torii_str_arg(name));

    (void) ngx_torii_dnssync_blame(blame->dnssync, blame->secret,
                                   INGRESS_WARNING, field, text);
}


static ingress_finding_t *
ngx_torii_dnssync_blame(ngx_torii_dnssync_t *d,
    const ngx_torii_dnssync_secret_t *s, ingress_severity_e severity,
    torii_str_t field, torii_str_t text)
{
    ingress_finding_t       *f;
    const ingress_object_t  *o;

    o = s->object;

    f = ingress_finding_add(&d->bad, severity, "DnsProvider", field,
                            torii_str(""), "%.*s", torii_str_arg(text));

    if (f != &d->bad.spare) {
        f->kind = torii_str("Secret");
        f->namespace = torii_arena_str(d->accounts, o->namespace);
        f->name = torii_arena_str(d->accounts, o->name);
        f->file = torii_arena_str(d->accounts, o->file);
        f->line = o->line;
    }

    return f;
}


/* The views that accounts are of, each once; and servers, to look at them. */

static void
ngx_torii_dnssync_places(ngx_torii_dnssync_t *d,
    const ngx_torii_dnssync_look_t *look)
{
    uint32_t                 i;
    ngx_uint_t               k;
    torii_str_t             *view;
    ngx_torii_dnssync_at_t  *at;

    d->views.nelts = 0;
    d->servers.nelts = 0;

    for (i = 0; i < look->n; i++) {

        if (look->secrets[i].why.len) {
            continue;
        }

        view = d->views.elts;

        for (k = 0; k < d->views.nelts; k++) {
            if (torii_str_eq(view[k], look->secrets[i].view)) {
                break;
            }
        }

        if (k == d->views.nelts) {
            view = ngx_array_push(&d->views);
            if (view) {
                *view = torii_arena_str(d->accounts, look->secrets[i].view);
            }
        }

        at = look->secrets[i].server.len ? ngx_array_push(&d->servers) : NULL;

        if (at) {
            at->account = torii_arena_str(d->accounts, look->secrets[i].name);
            at->server = torii_arena_str(d->accounts, look->secrets[i].server);
        }
    }
}


torii_str_t
ngx_torii_dnssync_server(ngx_torii_dnssync_t *d, torii_str_t account)
{
    ngx_uint_t               i;
    ngx_torii_dnssync_at_t  *at;

    at = d->servers.elts;

    for (i = 0; i < d->servers.nelts; i++) {
        if (torii_str_eq(at[i].account, account)) {
            return at[i].server;
        }
    }

    return torii_str("");
}
