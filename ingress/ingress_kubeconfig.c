
/*
 * kubeconfig files, and what a pod finds instead of one.  A file that asks for
 * what is not supported is refused: half of its meaning could be access to the
 * wrong server, or as somebody else.
 */

#include <stdarg.h>
#include <stdio.h>

#include "ingress_api.h"
#include "ingress_kubeconfig.h"


#define INGRESS_KUBECONFIG_HOST   256
#define INGRESS_KUBECONFIG_TOKEN  (64 * 1024)


typedef struct {
    torii_arena_t          *arena;
    const char             *dir;
    ingress_kubeconfig_t   *config;
    char                   *error;
} ingress_kube_t;

/* A key that changes what the file means, and what to say about it. */

typedef struct {
    const char             *key;
    const char             *text;
} ingress_kube_refused_t;


static int ingress_kube_context(ingress_kube_t *k, const torii_node_t *doc,
    torii_str_t name);
static int ingress_kube_find(ingress_kube_t *k, const torii_node_t *doc,
    const char *list, const char *key, torii_str_t name,
    const torii_node_t **entry);
static int ingress_kube_refuse(ingress_kube_t *k, const torii_node_t *entry,
    const char *what, torii_str_t name,
    const ingress_kube_refused_t *refused);
static int ingress_kube_cluster(ingress_kube_t *k, const torii_node_t *entry,
    torii_str_t name);
static int ingress_kube_server(ingress_kube_t *k, torii_str_t server);
static int ingress_kube_user(ingress_kube_t *k, const torii_node_t *entry,
    torii_str_t name);
static int ingress_kube_token(ingress_kube_t *k);
static int ingress_kube_clear(ingress_kube_t *k);
static int ingress_kube_is_loopback(torii_str_t server);
static int ingress_kube_text(ingress_kube_t *k, const torii_node_t *map,
    const char *key, torii_str_t *value);
static int ingress_kube_file(ingress_kube_t *k, const torii_node_t *map,
    const char *key, torii_str_t *value);
static int ingress_kube_pem(ingress_kube_t *k, const torii_node_t *map,
    const char *key, torii_str_t *value);
static int ingress_kube_flag(ingress_kube_t *k, const torii_node_t *map,
    const char *key, unsigned *value);
static int ingress_kube_fail(ingress_kube_t *k, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


static const torii_tree_limits_t  ingress_kube_limits = {
    4 * 1024 * 1024, 100000, 32
};

static const ingress_kube_refused_t  ingress_kube_no_clusters[] = {
    { "proxy-url", "proxies are not supported" },
    { NULL, NULL }
};

static const ingress_kube_refused_t  ingress_kube_no_users[] = {
    { "exec", "plugins that are executed are not supported; give the user a "
              "token, a tokenFile or a client certificate" },
    { "auth-provider", "plugins are not supported; give the user a token, a "
                       "tokenFile or a client certificate" },
    { "username", "API servers take no passwords any more; give the user a "
                  "token, a tokenFile or a client certificate" },
    { "password", "API servers take no passwords any more; give the user a "
                  "token, a tokenFile or a client certificate" },
    { "as", "impersonation is not supported" },
    { "as-uid", "impersonation is not supported" },
    { "as-groups", "impersonation is not supported" },
    { "as-user-extra", "impersonation is not supported" },
    { NULL, NULL }
};


int
ingress_kubeconfig_parse(torii_arena_t *a, torii_str_t text, const char *dir,
    const char *context, ingress_kubeconfig_t *config, char error[256])
{
    uint32_t              n;
    torii_str_t           name;
    torii_node_t        **docs;
    ingress_kube_t        k;
    torii_tree_error_t    err;

    memset(config, 0, sizeof(ingress_kubeconfig_t));

    k.arena = a;
    k.dir = dir;
    k.config = config;
    k.error = error;

    error[0] = '\0';

    if (torii_tree_yaml(a, text, &ingress_kube_limits, &docs, &n, &err)
        != TORII_OK)
    {
        return ingress_kube_fail(&k, "%s", err.text);
    }

    if (n != 1 || docs[0]->type != TORII_NODE_MAP) {
        return ingress_kube_fail(&k, "is no kubeconfig: one document with "
                                 "clusters, users and contexts is expected");
    }

    name = torii_str(context);

    if (context == NULL
        && ingress_kube_text(&k, docs[0], "current-context", &name)
           != TORII_OK)
    {
        return TORII_ERROR;
    }

    if (name.len == 0) {
        return ingress_kube_fail(&k, "has no current-context, and no context "
                                 "was named");
    }

    return ingress_kube_context(&k, docs[0], name);
}


static int
ingress_kube_context(ingress_kube_t *k, const torii_node_t *doc,
    torii_str_t name)
{
    torii_str_t          cluster, user;
    const torii_node_t  *entry;

    if (ingress_kube_find(k, doc, "contexts", "context", name, &entry)
        != TORII_OK
        || ingress_kube_text(k, entry, "cluster", &cluster) != TORII_OK
        || ingress_kube_text(k, entry, "user", &user) != TORII_OK
        || ingress_kube_text(k, entry, "namespace", &k->config->namespace)
           != TORII_OK)
    {
        return TORII_ERROR;
    }

    if (k->config->namespace.len == 0) {
        k->config->namespace = torii_arena_str(k->arena, torii_str("default"));
    }

    if (cluster.len == 0) {
        return ingress_kube_fail(k, "context \"%.*s\" has no cluster",
                                 torii_str_arg(name));
    }

    if (ingress_kube_find(k, doc, "clusters", "cluster", cluster, &entry)
        != TORII_OK
        || ingress_kube_cluster(k, entry, cluster) != TORII_OK)
    {
        return TORII_ERROR;
    }

    /* without a user, the server decides what anybody may do */

    if (user.len == 0) {
        return TORII_OK;
    }

    if (ingress_kube_find(k, doc, "users", "user", user, &entry) != TORII_OK
        || ingress_kube_user(k, entry, user) != TORII_OK)
    {
        return TORII_ERROR;
    }

    return ingress_kube_clear(k);
}


/* The value of key in the item of a list that has the name; the first one. */

static int
ingress_kube_find(ingress_kube_t *k, const torii_node_t *doc, const char *list,
    const char *key, torii_str_t name, const torii_node_t **entry)
{
    uint32_t             i;
    const torii_node_t  *node, *item;

    node = torii_node_get(doc, list);

    for (i = 0; node != NULL && node->type == TORII_NODE_LIST && i < node->n;
         i++)
    {
        item = torii_node_get(node->items[i], "name");

        if (item == NULL || !torii_str_eq(item->text, name)) {
            continue;
        }

        *entry = torii_node_get(node->items[i], key);

        if (*entry != NULL && (*entry)->type == TORII_NODE_MAP) {
            return TORII_OK;
        }

        break;
    }

    return ingress_kube_fail(k, "has no %s \"%.*s\"", key,
                             torii_str_arg(name));
}


static int
ingress_kube_refuse(ingress_kube_t *k, const torii_node_t *entry,
    const char *what, torii_str_t name, const ingress_kube_refused_t *refused)
{
    const torii_node_t  *node;

    for ( /* void */ ; refused->key != NULL; refused++) {
        node = torii_node_get(entry, refused->key);

        if (node == NULL || node->type == TORII_NODE_NULL
            || (node->type == TORII_NODE_STRING && node->text.len == 0))
        {
            continue;
        }

        return ingress_kube_fail(k, "%s \"%.*s\" has \"%s\": %s", what,
                                 (int) (name.len < 64 ? name.len : 64),
                                 (char *) name.data, refused->key,
                                 refused->text);
    }

    return TORII_OK;
}


static int
ingress_kube_cluster(ingress_kube_t *k, const torii_node_t *entry,
    torii_str_t name)
{
    unsigned               insecure;
    torii_str_t            server;
    ingress_kubeconfig_t  *config;

    config = k->config;

    if (ingress_kube_refuse(k, entry, "cluster", name,
                            ingress_kube_no_clusters) != TORII_OK
        || ingress_kube_text(k, entry, "server", &server) != TORII_OK
        || ingress_kube_server(k, server) != TORII_OK
        || ingress_kube_text(k, entry, "tls-server-name", &config->tls_name)
           != TORII_OK
        || ingress_kube_pem(k, entry, "certificate-authority-data",
                            &config->ca) != TORII_OK
        || ingress_kube_file(k, entry, "certificate-authority",
                             &config->ca_file) != TORII_OK
        || ingress_kube_flag(k, entry, "insecure-skip-tls-verify", &insecure)
           != TORII_OK)
    {
        return TORII_ERROR;
    }

    config->insecure = insecure;

    if (config->ca.len) {
        config->ca_file.len = 0;
    }

    if (insecure && (config->ca.len || config->ca_file.len)) {
        return ingress_kube_fail(k, "cluster \"%.*s\" has both a "
                                 "certificate-authority and "
                                 "insecure-skip-tls-verify; remove one",
                                 torii_str_arg(name));
    }

    return TORII_OK;
}


static int
ingress_kube_server(ingress_kube_t *k, torii_str_t server)
{
    size_t       i, start;
    torii_str_t  url;

    url = torii_str_trim(server);

    start = torii_str_starts(url, "https://") ? sizeof("https://") - 1
            : torii_str_starts(url, "http://") ? sizeof("http://") - 1 : 0;

    if (start == 0) {
        return ingress_kube_fail(k, "server \"%.*s\" does not begin with "
                                 "\"https://\"", torii_str_arg(url));
    }

    while (url.len > start && url.data[url.len - 1] == '/') {
        url.len--;
    }

    for (i = start; i < url.len; i++) {
        if (url.data[i] <= ' ' || url.data[i] >= 0x7f
            || strchr("@?#\\\"<>^`{|}", url.data[i]) != NULL)
        {
            break;
        }
    }

    if (url.len == start || i < url.len || url.data[start] == '/') {
        return ingress_kube_fail(k, "server \"%.*s\" is no URL of a server",
                                 torii_str_arg(url));
    }

    k->config->server = torii_arena_str(k->arena, url);

    return TORII_OK;
}


static int
ingress_kube_user(ingress_kube_t *k, const torii_node_t *entry,
    torii_str_t name)
{
    int                    cert, key;
    ingress_kubeconfig_t  *config;

    config = k->config;

    if (ingress_kube_refuse(k, entry, "user", name, ingress_kube_no_users)
        != TORII_OK
        || ingress_kube_pem(k, entry, "client-certificate-data", &config->cert)
           != TORII_OK
        || ingress_kube_file(k, entry, "client-certificate",
                             &config->cert_file) != TORII_OK
        || ingress_kube_pem(k, entry, "client-key-data", &config->key)
           != TORII_OK
        || ingress_kube_file(k, entry, "client-key", &config->key_file)
           != TORII_OK
        || ingress_kube_text(k, entry, "token", &config->token) != TORII_OK
        || ingress_kube_file(k, entry, "tokenFile", &config->token_file)
           != TORII_OK)
    {
        return TORII_ERROR;
    }

    if (config->cert.len) {
        config->cert_file.len = 0;
    }

    if (config->key.len) {
        config->key_file.len = 0;
    }

    cert = config->cert.len || config->cert_file.len;
    key = config->key.len || config->key_file.len;

    if (cert != key) {
        return ingress_kube_fail(k, "user \"%.*s\" has a client certificate "
                                 "or its key, both are needed",
                                 torii_str_arg(name));
    }

    return ingress_kube_token(k);
}


/* It becomes a header: one word of visible characters. */

static int
ingress_kube_token(ingress_kube_t *k)
{
    size_t       i;
    torii_str_t  token;

    token = torii_str_trim(k->config->token);

    for (i = 0; i < token.len; i++) {
        if (token.data[i] <= ' ' || token.data[i] >= 0x7f) {
            break;
        }
    }

    if (i < token.len || token.len > INGRESS_KUBECONFIG_TOKEN) {
        return ingress_kube_fail(k, "the token is not one word of printable "
                                 "characters");
    }

    k->config->token = torii_arena_str(k->arena, token);

    return TORII_OK;
}


/* "kubectl proxy" has no TLS, and needs no token. */

static int
ingress_kube_clear(ingress_kube_t *k)
{
    ingress_kubeconfig_t  *config;

    config = k->config;

    if (torii_str_starts(config->server, "http://")
        && (config->token.len || config->token_file.len)
        && !ingress_kube_is_loopback(config->server))
    {
        return ingress_kube_fail(k, "server \"%.*s\" would get the token "
                                 "unencrypted; use \"https://\"",
                                 torii_str_arg(config->server));
    }

    return TORII_OK;
}


static int
ingress_kube_is_loopback(torii_str_t server)
{
    size_t       i;
    torii_str_t  host;

    host.data = server.data + sizeof("http://") - 1;
    host.len = server.len - (sizeof("http://") - 1);

    if (torii_str_starts(host, "[::1]")) {
        return host.len == 5 || host.data[5] == ':' || host.data[5] == '/';
    }

    for (i = 0; i < host.len; i++) {
        if (host.data[i] == ':' || host.data[i] == '/') {
            break;
        }
    }

    host.len = i;

    if (torii_str_caseeqs(host, "localhost")) {
        return 1;
    }

    /* an address, not a name such as "127.example.org" */

    for (i = 0; i < host.len; i++) {
        if (host.data[i] != '.' && (host.data[i] < '0' || host.data[i] > '9'))
        {
            return 0;
        }
    }

    return torii_str_starts(host, "127.");
}


/* A scalar as written, copied; empty if it is not there. */

static int
ingress_kube_text(ingress_kube_t *k, const torii_node_t *map, const char *key,
    torii_str_t *value)
{
    torii_str_t          none = torii_null_string;
    const torii_node_t  *node;

    *value = none;

    node = torii_node_get(map, key);

    if (node == NULL || node->type == TORII_NODE_NULL) {
        return TORII_OK;
    }

    if (node->type == TORII_NODE_LIST || node->type == TORII_NODE_MAP) {
        return ingress_kube_fail(k, "line %u: \"%s\" is to be a string",
                                 (unsigned) node->line, key);
    }

    if (torii_str_has_control(torii_str_trim(node->text))) {
        return ingress_kube_fail(k, "line %u: \"%s\" has a control byte",
                                 (unsigned) node->line, key);
    }

    *value = torii_arena_str(k->arena, torii_str_trim(node->text));

    return TORII_OK;
}


static int
ingress_kube_file(ingress_kube_t *k, const torii_node_t *map, const char *key,
    torii_str_t *value)
{
    if (ingress_kube_text(k, map, key, value) != TORII_OK) {
        return TORII_ERROR;
    }

    if (value->len == 0 || value->data[0] == '/') {
        return TORII_OK;
    }

    *value = torii_arena_printf(k->arena, "%s/%.*s",
                                k->dir != NULL && k->dir[0] ? k->dir : ".",
                                torii_str_arg(*value));

    return TORII_OK;
}


/* What is in there is not quoted: it may be a key. */

static int
ingress_kube_pem(ingress_kube_t *k, const torii_node_t *map, const char *key,
    torii_str_t *value)
{
    torii_str_t          none = torii_null_string;
    const torii_node_t  *node;

    *value = none;

    node = torii_node_get(map, key);

    if (node == NULL || node->type == TORII_NODE_NULL
        || torii_str_trim(node->text).len == 0)
    {
        return TORII_OK;
    }

    if (node->type != TORII_NODE_STRING
        || torii_base64_decode(k->arena, node->text, value) != TORII_OK)
    {
        *value = none;
        return ingress_kube_fail(k, "line %u: \"%s\" is no base64",
                                 (unsigned) node->line, key);
    }

    if (strstr((char *) value->data, "-----BEGIN ") == NULL) {
        *value = none;
        return ingress_kube_fail(k, "line %u: \"%s\" is no PEM",
                                 (unsigned) node->line, key);
    }

    return TORII_OK;
}


static int
ingress_kube_flag(ingress_kube_t *k, const torii_node_t *map, const char *key,
    unsigned *value)
{
    const torii_node_t  *node;

    *value = 0;

    node = torii_node_get(map, key);

    if (node == NULL || node->type == TORII_NODE_NULL) {
        return TORII_OK;
    }

    if (node->type != TORII_NODE_BOOL) {
        return ingress_kube_fail(k, "line %u: \"%s\" is to be true or false",
                                 (unsigned) node->line, key);
    }

    *value = node->boolean;

    return TORII_OK;
}


static int
ingress_kube_fail(ingress_kube_t *k, const char *fmt, ...)
{
    char     text[512];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    ingress_api_text(torii_str(text), k->error, 256);

    memset(k->config, 0, sizeof(ingress_kubeconfig_t));

    return TORII_ERROR;
}


int
ingress_kubeconfig_pod(torii_arena_t *a, const char *host, const char *port,
    const char *root, torii_str_t namespace, ingress_kubeconfig_t *config,
    char error[256])
{
    int              ipv6;
    uint64_t         n;
    torii_str_t      ns, url;
    ingress_kube_t   k;

    memset(config, 0, sizeof(ingress_kubeconfig_t));

    k.arena = a;
    k.dir = root;
    k.config = config;
    k.error = error;

    error[0] = '\0';

    if (host == NULL || port == NULL || host[0] == '\0' || port[0] == '\0') {
        return ingress_kube_fail(&k, "this is no pod: KUBERNETES_SERVICE_HOST "
                                 "or KUBERNETES_SERVICE_PORT is not set; name "
                                 "a kubeconfig");
    }

    if (torii_str_uint(torii_str(port), 65535, &n) != TORII_OK || n == 0) {
        return ingress_kube_fail(&k, "KUBERNETES_SERVICE_PORT \"%s\" is no "
                                 "port", port);
    }

    if (strlen(host) > INGRESS_KUBECONFIG_HOST
        || strpbrk(host, "/") != NULL)
    {
        return ingress_kube_fail(&k, "KUBERNETES_SERVICE_HOST is no host");
    }

    ipv6 = strchr(host, ':') != NULL && host[0] != '[';

    url = torii_arena_printf(a, "https://%s%s%s:%u", ipv6 ? "[" : "", host,
                             ipv6 ? "]" : "", (unsigned) n);

    if (ingress_kube_server(&k, url) != TORII_OK) {
        return TORII_ERROR;
    }

    ns = torii_str_trim(namespace);

    if (torii_str_has_control(ns)) {
        return ingress_kube_fail(&k, "\"%s/namespace\" is no name", root);
    }

    config->namespace = torii_arena_str(a, ns.len ? ns : torii_str("default"));
    config->ca_file = torii_arena_printf(a, "%s/ca.crt", root);
    config->token_file = torii_arena_printf(a, "%s/token", root);

    return TORII_OK;
}
