
/*
 * The folder as the source of objects, on nginx's event loop: it is read when
 * inotify tells of a change, some files in each turn.
 */

#include "ngx_torii_helper.h"
#include "ingress_folder.h"


#define NGX_TORII_FOLDER_BUDGET  256     /* files in one turn */


typedef struct {
    ngx_torii_helper_t  *helper;
    ingress_folder_t    *folder;
    ngx_connection_t    *watch;          /* the folder's descriptor */
    ngx_event_t          read;
    uint64_t             since;          /* ms since 1970: it is missing */
    unsigned             missing:1;
} ngx_torii_folder_t;


static ngx_int_t ngx_torii_folder_start(ngx_torii_helper_t *h);
static void ngx_torii_folder_event_handler(ngx_event_t *ev);
static void ngx_torii_folder_watch_handler(ngx_event_t *ev);
static void ngx_torii_folder_read(ngx_torii_folder_t *f);
static void ngx_torii_folder_wait(ngx_torii_folder_t *f, int wait);
static ngx_int_t ngx_torii_folder_watch(ngx_torii_folder_t *f);
static ngx_uint_t ngx_torii_folder_present(ngx_torii_helper_t *h);
static const ingress_finding_t *ngx_torii_folder_findings(
    ngx_torii_helper_t *h);
static void ngx_torii_folder_report(ngx_torii_helper_t *h);


const ngx_torii_source_t  ngx_torii_folder_source = {
    ngx_torii_folder_start,
    ngx_torii_folder_present,
    ngx_torii_folder_findings,
    NULL,
    ngx_torii_folder_report
};


static ngx_int_t
ngx_torii_folder_start(ngx_torii_helper_t *h)
{
    u_char              *p;
    ngx_str_t           *where, *path;
    ngx_torii_folder_t  *f;

    path = &h->tmcf->manifests;
    where = &h->findings.where;

    f = ngx_pcalloc(h->pool, sizeof(ngx_torii_folder_t));
    p = ngx_pnalloc(h->pool, sizeof("torii check ") + path->len);

    if (f == NULL || p == NULL) {
        return NGX_ERROR;
    }

    where->data = p;
    where->len = ngx_sprintf(p, "torii check %V", path) - p;

    h->feed = f;
    f->helper = h;

    ngx_torii_helper_event(h, &f->read, ngx_torii_folder_event_handler);

    f->folder = ingress_folder_open((char *) path->data, h->store, 1);

    ngx_log_error(NGX_LOG_NOTICE, h->log, 0,
                  "torii: helper serves \"%V\"", path);

    ngx_torii_folder_read(f);
    ngx_torii_folder_report(h);

    return NGX_OK;
}


static void
ngx_torii_folder_event_handler(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_torii_helper_t  *h;

    c = ev->data;
    h = c->data;

    ngx_torii_folder_read(h->feed);
}


static void
ngx_torii_folder_watch_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_torii_folder_read(c->data);
}


static void
ngx_torii_folder_read(ngx_torii_folder_t *f)
{
    int                  rc, changed;
    uint64_t             now;
    ngx_torii_helper_t  *h;

    h = f->helper;
    changed = 0;
    now = ngx_torii_publish_us();

    rc = ingress_folder_read(f->folder, NGX_TORII_FOLDER_BUDGET, &changed);

    if (changed) {
        ngx_torii_pipeline_changed(h, now);
    }

    h->partial = (rc == TORII_AGAIN);

    if (h->partial) {
        ngx_post_event(&f->read, &ngx_posted_next_events);

    } else {
        ngx_torii_folder_wait(f, ingress_folder_wait(f->folder));

        if (!ngx_torii_folder_present(h)) {
            return;
        }

        ngx_torii_pipeline_complete(h);
    }

    ngx_torii_pipeline_publish(h);
}


static void
ngx_torii_folder_wait(ngx_torii_folder_t *f, int wait)
{
    if (f->read.timer_set) {
        ngx_del_timer(&f->read);
    }

    if (ngx_torii_folder_watch(f) != NGX_OK || f->missing) {
        wait = wait < 0 ? NGX_TORII_HELPER_RETRY
                        : ngx_min(wait, NGX_TORII_HELPER_RETRY);
    }

    if (wait >= 0) {
        ngx_add_timer(&f->read, (ngx_msec_t) wait);
    }
}


static ngx_int_t
ngx_torii_folder_watch(ngx_torii_folder_t *f)
{
    int                fd;
    ngx_log_t         *log;
    ngx_connection_t  *c;

    fd = ingress_folder_fd(f->folder);
    log = f->helper->log;

    if (f->watch && f->watch->fd == fd) {
        return NGX_OK;
    }

    if (f->watch) {
        c = f->watch;
        f->watch = NULL;

        (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
    }

    if (fd == -1) {
        return NGX_OK;
    }

    c = ngx_get_connection(fd, log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = f;
    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->read->handler = ngx_torii_folder_watch_handler;
    c->read->resolver = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
        return NGX_ERROR;
    }

    f->watch = c;

    return NGX_OK;
}


/*
 * A folder that is gone, or not ours to read, does not say that all objects
 * were deleted; a folder that is there and empty does.
 */

static ngx_uint_t
ngx_torii_folder_present(ngx_torii_helper_t *h)
{
    int                  fd;
    ngx_torii_folder_t  *f;

    f = h->feed;

    fd = open((char *) h->tmcf->manifests.data, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        if (!f->missing) {
            ngx_log_error(NGX_LOG_ERR, h->log, ngx_errno,
                          "torii: cannot open \"%V\", the last table goes on "
                          "serving", &h->tmcf->manifests);
            f->missing = 1;
            f->since = ngx_torii_publish_ms();
            ngx_torii_helper_arm(&f->read, NGX_TORII_HELPER_RETRY);
        }

        return 0;
    }

    close(fd);

    if (f->missing) {
        ngx_log_error(NGX_LOG_NOTICE, h->log, 0,
                      "torii: \"%V\" is there again", &h->tmcf->manifests);
        f->missing = 0;
    }

    return 1;
}


static const ingress_finding_t *
ngx_torii_folder_findings(ngx_torii_helper_t *h)
{
    ngx_torii_folder_t  *f;

    f = h->feed;

    return ingress_folder_findings(f->folder);
}


static void
ngx_torii_folder_report(ngx_torii_helper_t *h)
{
    ngx_uint_t                 kind;
    ngx_torii_folder_t        *f;
    ngx_torii_control_t       *control;
    ngx_torii_control_kind_t  *row;

    f = h->feed;
    control = h->pub.control;
    row = &control->kinds[0];

    ngx_cpystrn((u_char *) row->resource, (u_char *) "files",
                sizeof(row->resource));

    row->state = !h->complete ? NGX_TORII_SOURCE_NEVER
                 : f->missing ? NGX_TORII_SOURCE_STALE
                              : NGX_TORII_SOURCE_COMPLETE;
    row->stale = f->missing ? f->since : 0;
    row->objects = 0;
    row->error[0] = '\0';

    if (f->missing) {
        ngx_cpystrn((u_char *) row->error, (u_char *) "cannot be opened",
                    sizeof(row->error));
    }

    for (kind = 0; kind < INGRESS_KIND_MAX; kind++) {
        row->objects += ingress_store_count(h->store, kind);
    }

    control->nkinds = 1;
    control->leader = NGX_TORII_LEADER_NONE;
    control->error[0] = '\0';
}
