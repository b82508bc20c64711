
/*
 * Pages for people: to sign in and out, and why they may not enter.  They need
 * no script, name nothing of what was sent, and may be replaced by a template
 * of the operator's ("torii_login_page").
 */

#include "ngx_http_torii_login.h"
#include "oauth2_form.h"


#define NGX_HTTP_TORII_PAGE_MAX  65536     /* bytes of a template */


typedef struct {
    char        *title;
    char        *text;                     /* NULL: the reason's */
    unsigned     start:1;                  /* what can be done: log in, … */
    unsigned     other:1;                  /* … with another account, … */
    unsigned     leave:1;                  /* … or out */
} ngx_http_torii_page_row_t;


static ngx_int_t ngx_http_torii_page_send(ngx_http_request_t *r,
    ngx_uint_t status, torii_buf_t *body);
static ngx_int_t ngx_http_torii_page_header(ngx_http_request_t *r, char *name,
    char *value);
static void ngx_http_torii_page_write(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const ngx_http_torii_page_row_t *row,
    oauth2_fail_e reason, torii_str_t rd, torii_buf_t *b);
static void ngx_http_torii_page_part(ngx_http_request_t *r,
    ngx_http_torii_provider_t *p, const ngx_http_torii_page_row_t *row,
    oauth2_fail_e reason, torii_str_t rd, torii_str_t name, torii_buf_t *b);
static void ngx_http_torii_page_actions(ngx_http_torii_provider_t *p,
    const ngx_http_torii_page_row_t *row, torii_str_t rd, torii_buf_t *b);
static void ngx_http_torii_page_link(ngx_http_torii_provider_t *p,
    char *path, torii_str_t rd, torii_buf_t *b);
static void ngx_http_torii_page_id(ngx_http_request_t *r, torii_buf_t *b);
static void ngx_http_torii_page_escape(torii_buf_t *b, torii_str_t s);


/* In the order of ngx_http_torii_page_e. */

static const ngx_http_torii_page_row_t  ngx_http_torii_pages[] = {

    { "Sign in", "This page is for people who have signed in.", 1, 0, 0 },
    { "Sign out", "Do you want to sign out here?", 0, 0, 1 },
    { "Signed out", "You have signed out here.", 1, 0, 0 },
    { "No access", NULL, 0, 1, 1 },
    { "Sign-in failed", NULL, 1, 0, 0 },
    { "Sign-in is not available", NULL, 1, 0, 0 }
};


static const char  ngx_http_torii_page_default[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, "
    "initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<title>{{title}}</title>\n"
    "<link rel=\"stylesheet\" href=\"{{style}}\">\n"
    "</head>\n"
    "<body>\n"
    "<main>\n"
    "<h1>{{title}}</h1>\n"
    "<p>{{text}}</p>\n"
    "{{actions}}"
    "<footer>Request <code>{{request}}</code></footer>\n"
    "</main>\n"
    "</body>\n"
    "</html>\n";

static const char  ngx_http_torii_page_style[] =
    ":root { color-scheme: light dark; --back: #f3f4f6; --card: #fff; "
    "--text: #16181d; --soft: #5b6270; --line: #d9dce3; --act: #1f5fd0; "
    "--on-act: #fff }\n"
    "@media (prefers-color-scheme: dark) { :root { --back: #14161a; "
    "--card: #1e2127; --text: #eceef2; --soft: #a3aab8; --line: #343943; "
    "--act: #7fb0ff; --on-act: #0d1626 } }\n"
    "* { box-sizing: border-box }\n"
    "body { margin: 0; min-height: 100vh; display: grid; "
    "place-items: center; padding: 1.5rem; background: var(--back); "
    "color: var(--text); font: 1rem/1.5 system-ui, sans-serif }\n"
    "main { width: 100%; max-width: 26rem; padding: 2rem; "
    "background: var(--card); border: 1px solid var(--line); "
    "border-radius: .75rem }\n"
    "h1 { margin: 0 0 .5rem; font-size: 1.375rem; line-height: 1.25 }\n"
    "p { margin: 0 0 1.5rem }\n"
    ".actions { display: grid; gap: .75rem; margin: 0 }\n"
    ".actions a, .actions button { display: block; width: 100%; "
    "padding: .7rem 1rem; border: 1px solid var(--line); "
    "border-radius: .5rem; background: none; color: inherit; "
    "font: inherit; text-align: center; text-decoration: none; "
    "cursor: pointer }\n"
    ".actions .first { background: var(--act); border-color: var(--act); "
    "color: var(--on-act); font-weight: 600 }\n"
    "a:focus-visible, button:focus-visible { outline: 3px solid var(--act); "
    "outline-offset: 2px }\n"
    "footer { margin-top: 1.5rem; color: var(--soft); "
    "font-size: .8125rem; overflow-wrap: anywhere }\n";


ngx_int_t
ngx_http_torii_page(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    ngx_http_torii_page_e page, ngx_uint_t status, oauth2_fail_e reason,
    torii_str_t rd)
{
    ngx_int_t    rc;
    torii_buf_t  b;

    ngx_memzero(&b, sizeof(torii_buf_t));

    ngx_http_torii_page_write(r, p, &ngx_http_torii_pages[page], reason, rd,
                              &b);

    rc = ngx_http_torii_page_send(r, status, &b);

    torii_buf_free(&b);

    return rc;
}


static ngx_int_t
ngx_http_torii_page_send(ngx_http_request_t *r, ngx_uint_t status,
    torii_buf_t *body)
{
    ngx_uint_t                 i;
    ngx_str_t                  type;
    ngx_http_complex_value_t   cv;

    /* after a form's POST a browser is sent on to the provider, which the
       policy of forms would have to name */

    static char  *headers[][2] = {
        { "Content-Security-Policy",
          "default-src 'none'; style-src 'self'; img-src 'self'; "
          "base-uri 'none'; frame-ancestors 'none'" },
        { "X-Frame-Options", "DENY" },
        { "X-Content-Type-Options", "nosniff" },
        { "Referrer-Policy", "no-referrer" }
    };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (ngx_http_torii_page_header(r, headers[i][0], headers[i][1])
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (ngx_http_torii_session_no_store(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));
    ngx_str_set(&type, "text/html; charset=utf-8");

    cv.value.len = body->len;
    cv.value.data = ngx_pnalloc(r->pool, body->len);

    if (cv.value.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(cv.value.data, body->data, body->len);

    return ngx_http_send_response(r, status, &type, &cv);
}


static ngx_int_t
ngx_http_torii_page_header(ngx_http_request_t *r, char *name, char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return NGX_OK;
}


/* "{{name}}" of the template is replaced; what is unknown was refused. */

static void
ngx_http_torii_page_write(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    const ngx_http_torii_page_row_t *row, oauth2_fail_e reason, torii_str_t rd,
    torii_buf_t *b)
{
    u_char                      *last, *from, *to;
    ngx_str_t                    text;
    torii_str_t                  name;
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_torii_module);

    text = tmcf->login_page;

    if (text.len == 0) {
        text.data = (u_char *) ngx_http_torii_page_default;
        text.len = sizeof(ngx_http_torii_page_default) - 1;
    }

    last = text.data + text.len;

    for ( ;; ) {
        from = ngx_strnstr(text.data, "{{", text.len);
        to = from ? ngx_strnstr(from, "}}", last - from) : NULL;

        if (to == NULL) {
            torii_buf_add(b, text.data, text.len);
            return;
        }

        torii_buf_add(b, text.data, from - text.data);

        name.data = from + 2;
        name.len = to - name.data;

        ngx_http_torii_page_part(r, p, row, reason, rd, name, b);

        text.data = to + 2;
        text.len = last - text.data;
    }
}


static void
ngx_http_torii_page_part(ngx_http_request_t *r, ngx_http_torii_provider_t *p,
    const ngx_http_torii_page_row_t *row, oauth2_fail_e reason, torii_str_t rd,
    torii_str_t name, torii_buf_t *b)
{
    if (torii_str_eqs(name, "title")) {
        torii_buf_adds(b, row->title);

    } else if (torii_str_eqs(name, "text")) {
        torii_buf_adds(b, row->text ? row->text : oauth2_fail_text(reason));

    } else if (torii_str_eqs(name, "style")) {
        torii_buf_add_str(b, p->settings.prefix);
        torii_buf_adds(b, "/static/login.css");

    } else if (torii_str_eqs(name, "actions")) {
        ngx_http_torii_page_actions(p, row, rd, b);

    } else if (torii_str_eqs(name, "request")) {
        ngx_http_torii_page_id(r, b);
    }
}


static void
ngx_http_torii_page_actions(ngx_http_torii_provider_t *p,
    const ngx_http_torii_page_row_t *row, torii_str_t rd, torii_buf_t *b)
{
    torii_buf_adds(b, "<div class=\"actions\">\n");

    if (row->start) {
        torii_buf_adds(b, "<a class=\"first\" href=\"");
        ngx_http_torii_page_link(p, "/start", rd, b);
        torii_buf_adds(b, "\">Sign in");

        if (p->settings.title.len) {
            torii_buf_adds(b, " with ");
            ngx_http_torii_page_escape(b, p->settings.title);
        }

        torii_buf_adds(b, "</a>\n");
    }

    if (row->other) {
        torii_buf_adds(b, "<a class=\"first\" href=\"");
        ngx_http_torii_page_link(p, "/start", rd, b);
        torii_buf_adds(b, "&amp;select=1\">Use another account</a>\n");
    }

    if (row->leave) {
        torii_buf_adds(b, "<form method=\"post\" action=\"");
        ngx_http_torii_page_link(p, "/sign_out", torii_str("/"), b);
        torii_buf_adds(b, "\"><button>Sign out</button></form>\n");
    }

    torii_buf_adds(b, "</div>\n");
}


static void
ngx_http_torii_page_link(ngx_http_torii_provider_t *p, char *path,
    torii_str_t rd, torii_buf_t *b)
{
    torii_buf_add_str(b, p->settings.prefix);
    torii_buf_adds(b, path);
    torii_buf_adds(b, "?rd=");
    oauth2_form_escape(b, rd.len ? rd : torii_str("/"));
}


static void
ngx_http_torii_page_id(ngx_http_request_t *r, torii_buf_t *b)
{
    ngx_uint_t                  key;
    torii_str_t                 id;
    ngx_http_variable_value_t  *v;

    static ngx_str_t  name = ngx_string("torii_request_id");

    key = ngx_hash_key(name.data, name.len);
    v = ngx_http_get_variable(r, &name, key);

    if (v && !v->not_found) {
        id.data = v->data;
        id.len = v->len;

        ngx_http_torii_page_escape(b, id);
    }
}


static void
ngx_http_torii_page_escape(torii_buf_t *b, torii_str_t s)
{
    size_t   n;
    u_char  *p;

    n = ngx_escape_html(NULL, s.data, s.len);

    p = torii_buf_room(b, s.len + n);
    (void) ngx_escape_html(p, s.data, s.len);
    b->len += s.len + n;
}


ngx_int_t
ngx_http_torii_page_static(ngx_http_request_t *r, torii_str_t name)
{
    ngx_int_t                  rc;
    ngx_str_t                  type;
    ngx_http_complex_value_t   cv;

    if (!torii_str_eqs(name, "login.css")) {
        return NGX_HTTP_NOT_FOUND;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_torii_page_header(r, "Cache-Control",
                                   "public, max-age=3600")
        != NGX_OK
        || ngx_http_torii_page_header(r, "X-Content-Type-Options", "nosniff")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));
    ngx_str_set(&type, "text/css; charset=utf-8");

    cv.value.data = (u_char *) ngx_http_torii_page_style;
    cv.value.len = sizeof(ngx_http_torii_page_style) - 1;

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);
}


/* "torii_login_page FILE;" */

char *
ngx_http_torii_page_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_main_conf_t  *tmcf = conf;

    u_char           *p, *from, *to;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_str_t        *value, file;
    ngx_uint_t        i;
    torii_str_t       name;

    static char  *names[] = { "title", "text", "style", "actions", "request",
                              NULL };

    value = cf->args->elts;
    file = value[1];

    if (tmcf->login_page.len) {
        return "is duplicate";
    }

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, NGX_HTTP_TORII_PAGE_MAX + 1);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(file.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    n = (fd == NGX_INVALID_FILE) ? -1
                                 : ngx_read_fd(fd, p,
                                               NGX_HTTP_TORII_PAGE_MAX + 1);

    if (n < 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "cannot read \"%V\"", &file);
    }

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
    }

    if (n < 0) {
        return NGX_CONF_ERROR;
    }

    if (n == 0 || n > NGX_HTTP_TORII_PAGE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is empty or has more than %d bytes", &file,
                           NGX_HTTP_TORII_PAGE_MAX);
        return NGX_CONF_ERROR;
    }

    tmcf->login_page.data = p;
    tmcf->login_page.len = n;

    for (from = p; /* void */ ; from = to + 2) {

        from = ngx_strnstr(from, "{{", p + n - from);
        to = from ? ngx_strnstr(from, "}}", p + n - from) : NULL;

        if (to == NULL) {
            return NGX_CONF_OK;
        }

        name.data = from + 2;
        name.len = to - name.data;

        for (i = 0; names[i] && !torii_str_eqs(name, names[i]); i++) {
            /* void */
        }

        if (names[i] == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" has \"{{%*s}}\": there are {{title}}, "
                               "{{text}}, {{style}}, {{actions}} and "
                               "{{request}}", &file, name.len, name.data);
            return NGX_CONF_ERROR;
        }
    }
}
