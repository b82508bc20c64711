
/*
 * The helper process: reads the objects, compiles them and publishes routing
 * tables.  It is nginx's "cache manager" process, got by a path of our own, so
 * nginx's master starts it, restarts it and replaces it on reload; everything
 * runs on nginx's event loop.
 *
 * Two helpers run for a moment at every reload, and for long in an upgrade of
 * the binary: the one that holds the lock works, the other stands by.  Whatever
 * happens to a helper, workers go on with the last table.
 */

#include "ngx_torii_acme.h"
#include "ngx_torii_discovery.h"
#include "ngx_torii_dnssync.h"

#include <sys/file.h>


#define NGX_TORII_HELPER_STANDBY    50           /* ms between tries to lock */
#define NGX_TORII_HELPER_BEAT       1000         /* ms */
#define NGX_TORII_HELPER_STEADY     60000        /* ms alive: no crash loop */
#define NGX_TORII_HELPER_DELAY      50           /* ms, doubled per crash */
#define NGX_TORII_HELPER_DELAY_MAX  30000


static ngx_int_t ngx_torii_helper_dir(ngx_str_t *dir, ngx_uid_t user,
    ngx_log_t *log);
static ngx_msec_t ngx_torii_helper_manager(void *data);
static void ngx_torii_helper_begin(ngx_torii_helper_t *h);
static void ngx_torii_helper_goodbye(void);

static void ngx_torii_helper_start_handler(ngx_event_t *ev);
static ngx_int_t ngx_torii_helper_lock(ngx_torii_helper_t *h);
static ngx_msec_t ngx_torii_helper_restarts(ngx_torii_helper_t *h);
static void ngx_torii_helper_beat_handler(ngx_event_t *ev);
static void ngx_torii_helper_run_handler(ngx_event_t *ev);


/* for atexit(), which takes no argument: set in the helper process alone */
static ngx_torii_control_t  *ngx_torii_helper_control;


char *
ngx_torii_helper_state(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf,
    ngx_str_t *dir)
{
    u_char      *p;
    ngx_str_t    name;
    ngx_path_t  *path;

    name = *dir;

    if (ngx_conf_full_name(cf->cycle, &name, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    while (name.len > 1 && name.data[name.len - 1] == '/') {
        name.data[--name.len] = '\0';
    }

    if (name.len > NGX_MAX_PATH - 64) {
        return "is too long";
    }

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    p = ngx_pnalloc(cf->pool, 2 * (name.len + sizeof("/private")));
    if (path == NULL || p == NULL) {
        return NGX_CONF_ERROR;
    }

    path->name = name;
    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;

    tmcf->state = path;

    tmcf->table_dir.data = p;
    p = ngx_sprintf(p, "%V/table", &name);
    tmcf->table_dir.len = p - tmcf->table_dir.data;
    *p++ = '\0';

    tmcf->private_dir.data = p;
    p = ngx_sprintf(p, "%V/private", &name);
    tmcf->private_dir.len = p - tmcf->private_dir.data;
    *p = '\0';

    return NGX_CONF_OK;
}


/*
 * nginx makes the folders of its paths, and gives them to its user, even when
 * it only tests a configuration: so a test does not hear of the path.
 */

ngx_int_t
ngx_torii_helper_conf(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf)
{
    ngx_torii_helper_t  *h;

    if (tmcf->state == NULL || tmcf->helper == NGX_HTTP_TORII_HELPER_OFF
        || ngx_test_config)
    {
        return NGX_OK;
    }

    h = ngx_pcalloc(cf->pool, sizeof(ngx_torii_helper_t));
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->tmcf = tmcf;
    h->pool = cf->pool;
    h->lock = -1;
    h->pub.dir = tmcf->table_dir;

    if (tmcf->kubernetes.enable) {
        h->source = &ngx_torii_kubernetes_source;

    } else if (tmcf->manifests.len) {
        h->source = &ngx_torii_folder_source;
    }

    tmcf->state->manager = ngx_torii_helper_manager;
    tmcf->state->data = h;

    return ngx_add_path(cf, &tmcf->state);
}


/*
 * Only what the user of the workers cannot do itself: it may be another than
 * last time.  A failure is told by the helper, and the last table serves.
 */

ngx_int_t
ngx_torii_helper_init_module(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf)
{
    ngx_core_conf_t  *ccf;

    if (tmcf->state == NULL || tmcf->state->manager == NULL) {
        return NGX_OK;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    (void) ngx_torii_helper_dir(&tmcf->table_dir, ccf->user, cycle->log);
    (void) ngx_torii_helper_dir(&tmcf->private_dir, ccf->user, cycle->log);

    return NGX_OK;
}


/*
 * The folder above belongs to the workers' user, and we may be root: so what
 * changes hands is the folder we opened, not what its name leads to.
 */

static ngx_int_t
ngx_torii_helper_dir(ngx_str_t *dir, ngx_uid_t user, ngx_log_t *log)
{
    int          fd;
    struct stat  st;

    if (mkdir((char *) dir->data, 0700) != 0 && ngx_errno != NGX_EEXIST) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "torii: cannot make the folder \"%V\"", dir);
        return NGX_ERROR;
    }

    if (user == (ngx_uid_t) NGX_CONF_UNSET_UINT) {
        return NGX_OK;
    }

    fd = open((char *) dir->data, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1 || fstat(fd, &st) != 0
        || (st.st_uid != user && fchown(fd, user, -1) != 0))
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "torii: cannot give the folder \"%V\" to user %d",
                      dir, (int) user);
    }

    if (fd != -1) {
        close(fd);
    }

    return NGX_OK;
}


ngx_int_t
ngx_torii_helper_init_process(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf)
{
    u_char  path[NGX_MAX_PATH];

    if (tmcf->state == NULL || ngx_process == NGX_PROCESS_HELPER) {
        return NGX_OK;
    }

    if (ngx_process == NGX_PROCESS_SINGLE && tmcf->state->manager) {
        ngx_torii_helper_begin(tmcf->state->data);
    }

    /* at the very first start the helper has not made it yet */

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/control", &tmcf->table_dir) = 0;

    if (access((char *) path, R_OK) == 0) {
        (void) ngx_torii_table_current(tmcf, cycle->log);
    }

    return NGX_OK;
}


/* With a proxy cache configured, nginx calls all managers, and often. */

static ngx_msec_t
ngx_torii_helper_manager(void *data)
{
    ngx_torii_helper_t *h = data;

    if (!h->started) {
        ngx_setproctitle("torii helper process");
        ngx_torii_helper_begin(h);
    }

    return 60 * 60 * 1000;
}


static void
ngx_torii_helper_begin(ngx_torii_helper_t *h)
{
    h->started = 1;
    h->log = ngx_cycle->log;
    h->born = ngx_torii_publish_us();

    h->dummy.fd = (ngx_socket_t) -1;
    h->dummy.data = h;

    ngx_torii_helper_event(h, &h->start, ngx_torii_helper_start_handler);
    ngx_torii_helper_event(h, &h->beat, ngx_torii_helper_beat_handler);

    ngx_add_timer(&h->beat, NGX_TORII_HELPER_BEAT);

    ngx_torii_helper_start_handler(&h->start);
}


/* With debug logging nginx reads a descriptor behind ev->data. */

void
ngx_torii_helper_event(ngx_torii_helper_t *h, ngx_event_t *ev,
    ngx_event_handler_pt handler)
{
    ev->handler = handler;
    ev->data = &h->dummy;
    ev->log = h->log;
    ev->cancelable = 1;
}


/* ngx_add_timer() keeps an old timer that is near the new one. */

void
ngx_torii_helper_arm(ngx_event_t *ev, ngx_msec_t wait)
{
    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, wait);
}


void
ngx_torii_helper_backoff(ngx_torii_helper_t *h)
{
    h->retry = h->retry ? ngx_min(2 * h->retry, NGX_TORII_HELPER_RETRY_MAX)
                        : NGX_TORII_HELPER_RETRY;
}


/* A helper that ends in order is not the last one of a crash loop. */

static void
ngx_torii_helper_goodbye(void)
{
    ngx_torii_helper_control->helper_pid = 0;
}


static void
ngx_torii_helper_start_handler(ngx_event_t *ev)
{
    ngx_int_t            rc;
    ngx_msec_t           delay;
    ngx_connection_t    *c;
    ngx_torii_helper_t  *h;

    c = ev->data;
    h = c->data;

    rc = ngx_torii_helper_lock(h);

    if (rc == NGX_AGAIN) {

        if (!h->standby) {
            ngx_log_error(NGX_LOG_INFO, h->log, 0,
                          "torii: another helper is at work, standing by");
            h->standby = 1;
        }

        ngx_torii_helper_arm(ev, NGX_TORII_HELPER_STANDBY);
        return;
    }

    if (rc != NGX_OK || ngx_torii_publish_open(&h->pub, h->log) != NGX_OK) {
        ngx_torii_helper_backoff(h);
        ngx_torii_helper_arm(ev, h->retry);
        return;
    }

    h->retry = 0;

    delay = ngx_torii_helper_restarts(h);

    ngx_torii_helper_control = h->pub.control;
    (void) atexit(ngx_torii_key_goodbye);
    (void) atexit(ngx_torii_helper_goodbye);

    ev->handler = ngx_torii_helper_run_handler;

    if (delay) {
        ngx_log_error(NGX_LOG_WARN, h->log, 0,
                      "torii: helpers died soon after their start, %uL in a "
                      "row; this one waits %M ms", h->pub.control->restarts,
                      delay);
        ngx_torii_helper_arm(ev, delay);
        return;
    }

    ngx_torii_helper_run_handler(ev);
}


static ngx_int_t
ngx_torii_helper_lock(ngx_torii_helper_t *h)
{
    u_char       path[NGX_MAX_PATH];
    ngx_uid_t    user;
    struct stat  st;

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/lock", &h->tmcf->private_dir) = 0;

    if (h->lock == -1) {
        user = (ngx_uid_t) NGX_CONF_UNSET_UINT;

        if (ngx_torii_helper_dir(&h->tmcf->table_dir, user, h->log) != NGX_OK
            || ngx_torii_helper_dir(&h->tmcf->private_dir, user, h->log)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        h->lock = open((char *) path, O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC,
                       0600);

        /* left by another user, who may no longer run here */

        if (h->lock == -1 && ngx_errno == NGX_EACCES
            && unlink((char *) path) == 0)
        {
            h->lock = open((char *) path, O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC,
                           0600);
        }
    }

    if (h->lock == -1) {
        ngx_log_error(NGX_LOG_ERR, h->log, ngx_errno,
                      "torii: cannot open \"%s\", routes stay as they are",
                      path);
        return NGX_ERROR;
    }

    if (flock(h->lock, LOCK_EX|LOCK_NB) != 0) {
        return NGX_AGAIN;
    }

    if (fstat(h->lock, &st) != 0
        || ngx_torii_publish_moved(path, st.st_dev, st.st_ino))
    {
        close(h->lock);
        h->lock = -1;
        return NGX_AGAIN;
    }

    h->lock_dev = st.st_dev;
    h->lock_ino = st.st_ino;

    return NGX_OK;
}


/*
 * nginx restarts a process that dies at once and for ever.  When the helper
 * dies soon after each start it waits, longer each time, so that whatever is
 * wrong does not eat the machine.
 */

static ngx_msec_t
ngx_torii_helper_restarts(ngx_torii_helper_t *h)
{
    uint64_t              now, n;
    ngx_torii_control_t  *control;

    control = h->pub.control;
    now = ngx_torii_publish_ms();

    if (control->helper_pid && now >= control->started
        && now - control->started < NGX_TORII_HELPER_STEADY)
    {
        control->restarts++;

    } else {
        control->restarts = 0;
    }

    control->helper_pid = ngx_pid;
    control->started = now;
    control->beat = now;

    if (control->restarts == 0) {
        return 0;
    }

    n = ngx_min(control->restarts - 1, 16);

    return ngx_min((ngx_msec_t) NGX_TORII_HELPER_DELAY << n,
                   NGX_TORII_HELPER_DELAY_MAX);
}


static void
ngx_torii_helper_beat_handler(ngx_event_t *ev)
{
    u_char               path[NGX_MAX_PATH];
    ngx_connection_t    *c;
    ngx_torii_helper_t  *h;

    c = ev->data;
    h = c->data;

    ngx_add_timer(ev, NGX_TORII_HELPER_BEAT);

    if (ngx_process == NGX_PROCESS_HELPER && getppid() != ngx_parent) {
        ngx_log_error(NGX_LOG_NOTICE, h->log, 0,
                      "torii: nginx's master is gone, helper exits");
        exit(0);
    }

    if (h->pub.control == NULL) {
        return;
    }

    h->pub.control->beat = ngx_torii_publish_ms();

    if (h->feed) {
        h->source->report(h);
    }

    if (h->discovery) {
        ngx_torii_discovery_beat(h->discovery);
    }

    if (h->acme) {
        ngx_torii_acme_beat(h->acme);
    }

    if (h->dnssync) {
        ngx_torii_dnssync_beat(h->dnssync);
    }

    if (ngx_torii_publish_us() - h->born > NGX_TORII_HELPER_STEADY * 1000) {
        h->pub.control->restarts = 0;
    }

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/lock", &h->tmcf->private_dir) = 0;

    if (ngx_process == NGX_PROCESS_HELPER
        && (ngx_torii_publish_lost(&h->pub)
            || ngx_torii_publish_moved(path, h->lock_dev, h->lock_ino)))
    {
        ngx_log_error(NGX_LOG_WARN, h->log, 0,
                      "torii: files in \"%V\" were removed or replaced, "
                      "helper starts over", &h->tmcf->state->name);

        /* workers that hold the old page look for the new one at once */

        h->pub.control->beat = 0;

        exit(0);
    }
}


static void
ngx_torii_helper_run_handler(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_torii_helper_t  *h;

    c = ev->data;
    h = c->data;

    if (h->source == NULL) {
        return;
    }

    if (ngx_torii_pipeline_start(h) != NGX_OK) {
        ngx_torii_helper_backoff(h);
        ngx_torii_helper_arm(ev, h->retry);
    }
}
