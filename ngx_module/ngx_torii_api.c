
/*
 * Requests to the API server.  Where it is and who we are there is read from a
 * kubeconfig, or from the files of a pod's service account, and again whenever
 * one of them changes: tokens are replaced every hour, authorities sometimes.
 * What was good stays in force until what is new can be read.
 */

#include "ngx_torii_kubernetes.h"


#define NGX_TORII_API_ROOT     "/var/run/secrets/kubernetes.io/serviceaccount"
#define NGX_TORII_API_FILES    6
#define NGX_TORII_API_FILE     (1024 * 1024)   /* bytes */
#define NGX_TORII_API_CHECK    2000            /* ms between looks at files */
#define NGX_TORII_API_CONNECT  5000            /* ms */
#define NGX_TORII_API_ANSWER   (4 * 1024 * 1024)
#define NGX_TORII_API_RETURN   5000            /* ms between two returns */


typedef struct {
    char                       path[NGX_MAX_PATH];
    struct stat                st;
    unsigned                   there:1;
} ngx_torii_api_file_t;


/* What was read at one time; all strings live in the arena. */

typedef struct {
    torii_arena_t             *arena;
    ingress_kubeconfig_t       config;
    torii_str_t                authorization;  /* a header, or empty */
    torii_str_t                namespace;
    ngx_torii_identity_t      *identity;
} ngx_torii_api_conf_t;


struct ngx_torii_api_s {
    ngx_torii_helper_t        *helper;
    ngx_torii_curl_t          *curl;
    ngx_torii_api_conf_t       conf;
    ngx_torii_api_file_t       files[NGX_TORII_API_FILES];
    ngx_uint_t                 nfiles;
    ngx_array_t                retired;        /* ngx_torii_identity_t * */
    ngx_event_t                check;
    ngx_connection_t           dummy;          /* what check.data points to */
    char                       error[320];
    ngx_event_t               *notify;         /* of a return */
    ngx_uint_t                 returns;
    ngx_msec_t                 returned;
    unsigned                   ready:1;
    unsigned                   away:1;         /* a request got no answer */
};


/* One request in flight. */

typedef struct {
    ngx_torii_api_t           *api;
    ngx_torii_identity_t      *identity;
    ngx_torii_api_handlers_t   handlers;
    unsigned                   answered:1;
} ngx_torii_api_call_t;


typedef struct {
    ngx_torii_api_t           *api;
    ngx_torii_api_answer_pt    handler;
    void                      *data;
    uint32_t                   id;
    ingress_api_answer_t       answer;
    torii_buf_t                body;
} ngx_torii_api_question_t;


static void ngx_torii_api_check_handler(ngx_event_t *ev);
static ngx_uint_t ngx_torii_api_changed(ngx_torii_api_t *api);
static void ngx_torii_api_load(ngx_torii_api_t *api);
static ngx_int_t ngx_torii_api_read_conf(ngx_torii_api_t *api,
    ngx_torii_api_conf_t *conf, char error[256]);
static ngx_int_t ngx_torii_api_kubeconfig(ngx_torii_api_t *api,
    ngx_torii_api_conf_t *conf, char error[256]);
static ngx_int_t ngx_torii_api_pod(ngx_torii_api_t *api,
    ngx_torii_api_conf_t *conf, char error[256]);
static ngx_int_t ngx_torii_api_allowed(ngx_torii_api_t *api,
    ngx_torii_api_conf_t *conf, char error[256]);
static ngx_int_t ngx_torii_api_token(ngx_torii_api_t *api,
    ngx_torii_api_conf_t *conf, char error[256]);
static ngx_int_t ngx_torii_api_identity(ngx_torii_api_t *api,
    ngx_torii_api_conf_t *conf, char error[256]);
static ngx_int_t ngx_torii_api_file(ngx_torii_api_t *api, torii_arena_t *a,
    torii_str_t path, torii_str_t *text, char error[256]);
static ngx_int_t ngx_torii_api_read(torii_arena_t *a, int fd, size_t size,
    torii_str_t *text);
static void ngx_torii_api_use(ngx_torii_api_t *api,
    ngx_torii_api_conf_t *conf);
static void ngx_torii_api_retire(ngx_torii_api_t *api);

static void ngx_torii_api_request(ngx_torii_api_t *api,
    const ingress_api_request_t *req, torii_arena_t *a,
    ngx_torii_curl_request_t *cr);
static ngx_int_t ngx_torii_api_head(void *data, ngx_uint_t status,
    ngx_str_t *content_type, ngx_uint_t retry_after);
static ngx_int_t ngx_torii_api_body(void *data, u_char *p, size_t len);
static void ngx_torii_api_done(void *data, const char *error);
static void ngx_torii_api_call_free(ngx_torii_api_call_t *call);
static ngx_int_t ngx_torii_api_answer_head(void *data,
    const ingress_api_answer_t *answer);
static ngx_int_t ngx_torii_api_answer_body(void *data, torii_str_t bytes);
static void ngx_torii_api_answer_done(void *data, const char *error);
static void ngx_torii_api_answered(ngx_torii_api_question_t *q);


ngx_torii_api_t *
ngx_torii_api_create(ngx_torii_helper_t *h)
{
    ngx_torii_api_t  *api;

    api = ngx_pcalloc(h->pool, sizeof(ngx_torii_api_t));
    if (api == NULL) {
        return NULL;
    }

    api->helper = h;

    if (ngx_array_init(&api->retired, h->pool, 4,
                       sizeof(ngx_torii_identity_t *))
        != NGX_OK)
    {
        return NULL;
    }

    api->curl = ngx_torii_curl_create(h->pool, h->log);
    if (api->curl == NULL) {
        return NULL;
    }

    api->dummy.fd = (ngx_socket_t) -1;
    api->dummy.data = api;

    ngx_torii_helper_event(h, &api->check, ngx_torii_api_check_handler);
    api->check.data = &api->dummy;

    ngx_torii_api_load(api);

    ngx_add_timer(&api->check, NGX_TORII_API_CHECK);

    return api;
}


ngx_int_t
ngx_torii_api_ready(ngx_torii_api_t *api)
{
    return api->ready ? NGX_OK : NGX_AGAIN;
}


const char *
ngx_torii_api_error(ngx_torii_api_t *api)
{
    return api->error;
}


ngx_uint_t
ngx_torii_api_returns(ngx_torii_api_t *api, ngx_event_t *notify)
{
    api->notify = notify;

    return api->returns;
}


torii_str_t
ngx_torii_api_namespace(ngx_torii_api_t *api)
{
    return api->conf.namespace;
}


static void
ngx_torii_api_check_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;
    ngx_torii_api_t   *api;

    c = ev->data;
    api = c->data;

    ngx_torii_api_retire(api);

    if (ngx_torii_api_changed(api)) {
        ngx_torii_api_load(api);
    }

    ngx_torii_helper_arm(ev, NGX_TORII_API_CHECK);
}


static ngx_uint_t
ngx_torii_api_changed(ngx_torii_api_t *api)
{
    ngx_uint_t             i, there;
    struct stat            st;
    ngx_torii_api_file_t  *file;

    for (i = 0; i < api->nfiles; i++) {
        file = &api->files[i];

        there = (stat(file->path, &st) == 0);

        if (there != file->there) {
            return 1;
        }

        if (there
            && (st.st_dev != file->st.st_dev
                || st.st_ino != file->st.st_ino
                || st.st_size != file->st.st_size
                || st.st_mtim.tv_sec != file->st.st_mtim.tv_sec
                || st.st_mtim.tv_nsec != file->st.st_mtim.tv_nsec
                || st.st_ctim.tv_sec != file->st.st_ctim.tv_sec
                || st.st_ctim.tv_nsec != file->st.st_ctim.tv_nsec))
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_torii_api_load(ngx_torii_api_t *api)
{
    char                  error[256];
    ngx_log_t            *log;
    ngx_torii_api_conf_t  conf;

    log = api->helper->log;

    ngx_memzero(&conf, sizeof(ngx_torii_api_conf_t));
    error[0] = '\0';

    conf.arena = torii_arena_create(4096);
    api->nfiles = 0;

    if (ngx_torii_api_read_conf(api, &conf, error) == NGX_OK) {

        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "torii: the API server is \"%*s\"%s",
                      conf.config.server.len, conf.config.server.data,
                      api->ready ? ", configuration read again" : "");

        ngx_torii_api_use(api, &conf);

        api->ready = 1;
        api->error[0] = '\0';

        return;
    }

    torii_arena_destroy(conf.arena);

    if (ngx_strncmp(api->error, error, sizeof(error)) != 0) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "torii: cannot use the API server's configuration%s: %s",
                      api->ready ? ", the last one stays in force" : "",
                      error);
    }

    (void) snprintf(api->error, sizeof(api->error), "%s", error);
}


static ngx_int_t
ngx_torii_api_read_conf(ngx_torii_api_t *api, ngx_torii_api_conf_t *conf,
    char error[256])
{
    ngx_int_t                     rc;
    ngx_http_torii_kubernetes_t  *k;

    k = &api->helper->tmcf->kubernetes;

    rc = k->kubeconfig.len ? ngx_torii_api_kubeconfig(api, conf, error)
                           : ngx_torii_api_pod(api, conf, error);

    if (rc != NGX_OK
        || ngx_torii_api_allowed(api, conf, error) != NGX_OK
        || ngx_torii_api_token(api, conf, error) != NGX_OK
        || ngx_torii_api_identity(api, conf, error) != NGX_OK)
    {
        return NGX_ERROR;
    }

    conf->namespace = conf->config.namespace;

    if (k->pod_namespace.len) {
        conf->namespace.len = k->pod_namespace.len;
        conf->namespace.data = k->pod_namespace.data;

    } else if (conf->namespace.len == 0) {
        conf->namespace = torii_str("default");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_api_kubeconfig(ngx_torii_api_t *api, ngx_torii_api_conf_t *conf,
    char error[256])
{
    char                         *slash, dir[NGX_MAX_PATH];
    torii_str_t                   path, text;
    ngx_http_torii_kubernetes_t  *k;

    k = &api->helper->tmcf->kubernetes;

    path.len = k->kubeconfig.len;
    path.data = k->kubeconfig.data;

    if (ngx_torii_api_file(api, conf->arena, path, &text, error) != NGX_OK) {
        return NGX_ERROR;
    }

    /* a path that was made a full one, and short enough to be opened */

    ngx_cpystrn((u_char *) dir, path.data, sizeof(dir));

    slash = strrchr(dir, '/');
    slash[slash == dir] = '\0';

    if (ingress_kubeconfig_parse(conf->arena, text, dir,
                                 k->context.len ? (char *) k->context.data
                                                : NULL,
                                 &conf->config, error)
        != TORII_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_api_pod(ngx_torii_api_t *api, ngx_torii_api_conf_t *conf,
    char error[256])
{
    torii_str_t                   namespace;
    ngx_http_torii_kubernetes_t  *k;

    k = &api->helper->tmcf->kubernetes;

    if (ngx_torii_api_file(api, conf->arena,
                           torii_str(NGX_TORII_API_ROOT "/namespace"),
                           &namespace, error)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ingress_kubeconfig_pod(conf->arena, (char *) k->host.data,
                               k->port.len ? (char *) k->port.data : "443",
                               NGX_TORII_API_ROOT, torii_str_trim(namespace),
                               &conf->config, error)
        != TORII_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Nobody may get the token by taking the server's place. */

static ngx_int_t
ngx_torii_api_allowed(ngx_torii_api_t *api, ngx_torii_api_conf_t *conf,
    char error[256])
{
    if (conf->config.insecure && !api->helper->tmcf->kubernetes.insecure) {
        (void) snprintf(error, 256, "the kubeconfig says insecure-skip-tls-"
                        "verify; give it a certificate-authority, or allow it "
                        "by \"torii_kubernetes ... insecure=on;\"");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_api_token(ngx_torii_api_t *api, ngx_torii_api_conf_t *conf,
    char error[256])
{
    torii_str_t  token;

    token = conf->config.token;

    if (conf->config.token_file.len
        && ngx_torii_api_file(api, conf->arena, conf->config.token_file,
                              &token, error)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    token = torii_str_trim(token);

    if (torii_str_has_control(token)
        || (token.len == 0 && conf->config.token_file.len))
    {
        (void) snprintf(error, 256, "the token is empty, or no token");
        return NGX_ERROR;
    }

    if (token.len) {
        conf->authorization = torii_arena_printf(conf->arena,
                                                 "Authorization: Bearer %.*s",
                                                 torii_str_arg(token));
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_api_identity(ngx_torii_api_t *api, ngx_torii_api_conf_t *conf,
    char error[256])
{
    ngx_uint_t             i;
    ingress_kubeconfig_t  *config = &conf->config;

    struct {
        torii_str_t       *file;
        torii_str_t       *text;
    } files[] = {
        { &config->ca_file, &config->ca },
        { &config->cert_file, &config->cert },
        { &config->key_file, &config->key },
    };

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {

        /* what stands in the kubeconfig itself wins */

        if (files[i].text->len == 0 && files[i].file->len
            && ngx_torii_api_file(api, conf->arena, *files[i].file,
                                  files[i].text, error)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    conf->identity = ngx_torii_identity_create(config->ca, config->cert,
                                               config->key, config->insecure,
                                               error);

    return conf->identity ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_torii_api_file(ngx_torii_api_t *api, torii_arena_t *a, torii_str_t path,
    torii_str_t *text, char error[256])
{
    int                    fd;
    ngx_int_t              rc;
    ngx_torii_api_file_t  *file;

    if (path.len >= NGX_MAX_PATH || api->nfiles == NGX_TORII_API_FILES) {
        (void) snprintf(error, 256, "the name of a file is too long");
        return NGX_ERROR;
    }

    file = &api->files[api->nfiles++];

    ngx_memcpy(file->path, path.data, path.len);
    file->path[path.len] = '\0';
    file->there = 0;

    fd = open(file->path, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        (void) snprintf(error, 256, "cannot open \"%s\": %s", file->path,
                        strerror(errno));

        /* it may be there, and not for us */

        file->there = (stat(file->path, &file->st) == 0);

        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (fstat(fd, &file->st) == 0) {
        file->there = 1;

        if (S_ISREG(file->st.st_mode)
            && file->st.st_size <= NGX_TORII_API_FILE)
        {
            rc = ngx_torii_api_read(a, fd, file->st.st_size, text);
        }
    }

    close(fd);

    if (rc != NGX_OK) {
        (void) snprintf(error, 256, "cannot read \"%s\", or it is no file of "
                        "at most 1 MB", file->path);
    }

    return rc;
}


static ngx_int_t
ngx_torii_api_read(torii_arena_t *a, int fd, size_t size, torii_str_t *text)
{
    size_t    len;
    ssize_t   n;

    text->data = torii_arena_alloc(a, size + 1);
    len = 0;

    while (len < size) {
        n = read(fd, text->data + len, size - len);

        if (n > 0) {
            len += n;
            continue;
        }

        if (n == 0) {
            break;
        }

        if (ngx_errno != NGX_EINTR) {
            return NGX_ERROR;
        }
    }

    text->data[len] = '\0';
    text->len = len;

    return NGX_OK;
}


/* Connections are kept as long as the identity is the same. */

static void
ngx_torii_api_use(ngx_torii_api_t *api, ngx_torii_api_conf_t *conf)
{
    ngx_torii_identity_t  *old, **retired;

    old = api->conf.identity;

    if (old && old->hash == conf->identity->hash) {
        ngx_torii_identity_free(conf->identity);
        conf->identity = old;
        old = NULL;
    }

    if (api->conf.arena) {
        torii_arena_destroy(api->conf.arena);
    }

    api->conf = *conf;

    if (old == NULL) {
        return;
    }

    old->refs--;

    retired = ngx_array_push(&api->retired);
    if (retired) {
        *retired = old;
    }
}


/* From a timer, since libcurl may not be on the stack. */

static void
ngx_torii_api_retire(ngx_torii_api_t *api)
{
    ngx_uint_t              i;
    ngx_torii_identity_t  **retired;

    retired = api->retired.elts;

    for (i = 0; i < api->retired.nelts; /* void */ ) {

        if (retired[i]->refs) {
            i++;
            continue;
        }

        ngx_torii_curl_forget(api->curl, &retired[i]->tls);
        ngx_torii_identity_free(retired[i]);

        retired[i] = retired[--api->retired.nelts];
    }
}


ngx_int_t
ngx_torii_api_send(ngx_torii_api_t *api, const ingress_api_request_t *req,
    const ngx_torii_api_handlers_t *handlers)
{
    torii_arena_t              *a;
    ngx_torii_api_call_t       *call;
    ngx_torii_curl_request_t    cr;
    ngx_torii_curl_handlers_t   ch;
    ngx_torii_curl_transfer_t  *t;

    if (!api->ready) {
        return NGX_ERROR;
    }

    call = torii_zalloc(sizeof(ngx_torii_api_call_t));
    call->api = api;
    call->handlers = *handlers;
    call->identity = api->conf.identity;
    call->identity->refs++;

    ch.head = ngx_torii_api_head;
    ch.body = ngx_torii_api_body;
    ch.done = ngx_torii_api_done;
    ch.data = call;

    a = torii_arena_create(1024);

    ngx_torii_api_request(api, req, a, &cr);

    t = ngx_torii_curl_start(api->curl, &cr, &ch);

    torii_arena_destroy(a);

    if (t == NULL) {
        ngx_torii_api_call_free(call);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_torii_api_request(ngx_torii_api_t *api, const ingress_api_request_t *req,
    torii_arena_t *a, ngx_torii_curl_request_t *cr)
{
    char                  **header;
    ngx_torii_api_conf_t   *conf;

    conf = &api->conf;

    ngx_memzero(cr, sizeof(ngx_torii_curl_request_t));

    header = torii_arena_zalloc(a, 4 * sizeof(char *));

    cr->method = (char *) req->method;
    cr->headers = header;
    cr->url = (char *) torii_arena_printf(a, "%.*s%.*s",
                                          torii_str_arg(conf->config.server),
                                          torii_str_arg(req->path)).data;

    *header++ = (char *) torii_arena_printf(a, "Accept: %s",
                                            req->accept ? req->accept
                                                        : "application/json")
                         .data;

    if (conf->authorization.len) {
        *header++ = (char *) conf->authorization.data;
    }

    if (req->content_type) {
        *header = (char *) torii_arena_printf(a, "Content-Type: %s",
                                              req->content_type).data;
    }

    cr->body.len = req->body.len;
    cr->body.data = req->body.data;
    cr->timeout = req->timeout;
    cr->connect_timeout = NGX_TORII_API_CONNECT;
    cr->idle = req->idle;
    cr->tls = &conf->identity->tls;

    if (conf->config.tls_name.len) {
        cr->tls_name = (char *) torii_arena_str(a, conf->config.tls_name).data;
    }
}


static ngx_int_t
ngx_torii_api_head(void *data, ngx_uint_t status, ngx_str_t *content_type,
    ngx_uint_t retry_after)
{
    ngx_torii_api_call_t *call = data;

    ingress_api_answer_t  answer;

    ngx_memzero(&answer, sizeof(ingress_api_answer_t));

    answer.status = status;
    answer.retry_after = retry_after;
    answer.content_type.len = content_type->len;
    answer.content_type.data = content_type->data;

    call->answered = 1;

    /* a token that was replaced is looked for at once */

    if (status == NGX_HTTP_UNAUTHORIZED) {
        ngx_torii_helper_arm(&call->api->check, 0);
    }

    if (call->handlers.head(call->handlers.data, &answer) != NGX_OK) {
        ngx_torii_api_call_free(call);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_api_body(void *data, u_char *p, size_t len)
{
    ngx_torii_api_call_t *call = data;

    torii_str_t  bytes;

    bytes.len = len;
    bytes.data = p;

    if (call->handlers.body(call->handlers.data, bytes) != NGX_OK) {
        ngx_torii_api_call_free(call);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_torii_api_done(void *data, const char *error)
{
    ngx_torii_api_call_t *call = data;

    ingress_api_answer_t  answer;

    if (call->answered) {
        call->handlers.done(call->handlers.data, error);

    } else {
        call->api->away = 1;

        ngx_memzero(&answer, sizeof(ingress_api_answer_t));
        answer.error = error;

        (void) call->handlers.head(call->handlers.data, &answer);
    }

    ngx_torii_api_call_free(call);
}


static void
ngx_torii_api_call_free(ngx_torii_api_call_t *call)
{
    call->identity->refs--;
    free(call);
}


void
ngx_torii_api_ask(ngx_torii_api_t *api, const ingress_api_request_t *req,
    ngx_torii_api_answer_pt handler, void *data, uint32_t id)
{
    ngx_torii_api_handlers_t   handlers;
    ngx_torii_api_question_t  *q;

    q = torii_zalloc(sizeof(ngx_torii_api_question_t));
    q->api = api;
    q->handler = handler;
    q->data = data;
    q->id = id;

    handlers.head = ngx_torii_api_answer_head;
    handlers.body = ngx_torii_api_answer_body;
    handlers.done = ngx_torii_api_answer_done;
    handlers.data = q;

    if (ngx_torii_api_send(api, req, &handlers) != NGX_OK) {
        q->answer.error = "the request could not be made";
        ngx_torii_api_answered(q);
    }
}


static ngx_int_t
ngx_torii_api_answer_head(void *data, const ingress_api_answer_t *answer)
{
    ngx_torii_api_question_t *q = data;

    q->answer = *answer;
    ngx_memzero(&q->answer.content_type, sizeof(torii_str_t));

    if (answer->status == 0) {
        ngx_torii_api_answered(q);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_api_answer_body(void *data, torii_str_t bytes)
{
    ngx_torii_api_question_t *q = data;

    if (bytes.len > NGX_TORII_API_ANSWER - q->body.len) {
        ngx_memzero(&q->answer, sizeof(ingress_api_answer_t));
        q->answer.error = "the answer is larger than 4 MB";
        ngx_torii_api_answered(q);

        return NGX_ERROR;
    }

    torii_buf_add_str(&q->body, bytes);

    return NGX_OK;
}


static void
ngx_torii_api_answer_done(void *data, const char *error)
{
    ngx_torii_api_question_t *q = data;

    if (error) {
        ngx_memzero(&q->answer, sizeof(ingress_api_answer_t));
        q->answer.error = error;
    }

    ngx_torii_api_answered(q);
}


static void
ngx_torii_api_answered(ngx_torii_api_question_t *q)
{
    torii_str_t       body;
    ngx_torii_api_t  *api;

    api = q->api;

    /* now and then is enough, for a server that answers some and not others */

    if (api->away && q->answer.status && q->answer.status < 500
        && ngx_current_msec - api->returned >= NGX_TORII_API_RETURN)
    {
        api->away = 0;
        api->returned = ngx_current_msec;
        api->returns++;

        if (api->notify) {
            ngx_post_event(api->notify, &ngx_posted_events);
        }
    }

    body.len = q->answer.status ? q->body.len : 0;
    body.data = q->body.data;

    q->handler(q->data, q->id, &q->answer, body);

    torii_buf_free(&q->body);
    free(q);
}


void
ngx_torii_api_farewell(ngx_torii_api_t *api, const ingress_api_request_t *req,
    uint32_t timeout)
{
    torii_arena_t             *a;
    ngx_torii_curl_request_t   cr;

    if (!api->ready) {
        return;
    }

    a = torii_arena_create(1024);

    ngx_torii_api_request(api, req, a, &cr);

    cr.timeout = timeout;
    cr.connect_timeout = timeout;
    cr.idle = 0;

    (void) ngx_torii_curl_farewell(api->curl, &cr);

    torii_arena_destroy(a);
}
