
/*
 * A thread for each key of RSA, never two at a time.  It calls OpenSSL and
 * nothing of nginx, knows its own job only, and says that it is done through an
 * eventfd, which the event loop reads.
 */

#include "ngx_torii_key.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>


#define NGX_TORII_KEY_QUEUE  16
#define NGX_TORII_KEY_NICE   10


typedef struct {
    ngx_queue_t                 queue;
    torii_key_type_e            type;
    uint32_t                    term;
    uint32_t                    ticket;
    int                         fd;      /* to tell */
    EVP_PKEY                   *key;     /* the thread's until done */
    unsigned                    done;
} ngx_torii_key_job_t;

struct ngx_torii_keys_s {
    ngx_torii_key_pt            handler;
    void                       *data;
    ngx_log_t                  *log;
    ngx_connection_t           *connection;     /* of the eventfd */
    ngx_torii_key_job_t        *job;     /* whose thread runs */
    pthread_t                   tid;     /* of the last one that was started */
    unsigned                    joinable:1;
    ngx_queue_t                 jobs;    /* that wait */
    ngx_uint_t                  n;
};


static ngx_int_t ngx_torii_key_watch(ngx_torii_keys_t *keys, int fd);
static void ngx_torii_key_done_handler(ngx_event_t *ev);
static void ngx_torii_key_run(ngx_torii_keys_t *keys);
static ngx_int_t ngx_torii_key_start(ngx_torii_keys_t *keys,
    ngx_torii_key_job_t *job);
static void ngx_torii_key_join(ngx_torii_keys_t *keys);
static void *ngx_torii_key_thread(void *data);
static void ngx_torii_key_tell(ngx_torii_keys_t *keys,
    ngx_torii_key_job_t *job);


/* for atexit(), which takes no argument: set in the helper process alone */
static ngx_torii_keys_t  *ngx_torii_keys;


ngx_torii_keys_t *
ngx_torii_keys_create(ngx_pool_t *pool, ngx_torii_key_pt handler, void *data,
    ngx_log_t *log)
{
    int                fd;
    ngx_torii_keys_t  *keys;

    keys = ngx_pcalloc(pool, sizeof(ngx_torii_keys_t));
    if (keys == NULL) {
        return NULL;
    }

    keys->handler = handler;
    keys->data = data;
    keys->log = log;

    ngx_queue_init(&keys->jobs);

    fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno, "torii: eventfd() failed");
        return NULL;
    }

    if (ngx_torii_key_watch(keys, fd) != NGX_OK) {
        (void) close(fd);
        return NULL;
    }

    ngx_torii_keys = keys;

    return keys;
}


static ngx_int_t
ngx_torii_key_watch(ngx_torii_keys_t *keys, int fd)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, keys->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = keys;
    c->log = keys->log;
    c->read->log = keys->log;
    c->write->log = keys->log;
    c->read->handler = ngx_torii_key_done_handler;

    /* no socket that is left open, when the process ends */

    c->read->resolver = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
        return NGX_ERROR;
    }

    keys->connection = c;

    return NGX_OK;
}


void
ngx_torii_key_make(ngx_torii_keys_t *keys, torii_key_type_e type,
    uint32_t term, uint32_t ticket)
{
    ngx_torii_key_job_t  *job;

    if (type < TORII_KEY_RSA_2048) {
        keys->handler(keys->data, term, ticket, torii_key_generate(type));
        return;
    }

    if (keys->n == NGX_TORII_KEY_QUEUE) {
        keys->handler(keys->data, term, ticket, NULL);
        return;
    }

    /* no pool's: the thread may outlive all of them */

    job = torii_zalloc(sizeof(ngx_torii_key_job_t));

    job->type = type;
    job->term = term;
    job->ticket = ticket;
    job->fd = keys->connection->fd;

    ngx_queue_insert_tail(&keys->jobs, &job->queue);
    keys->n++;

    ngx_torii_key_run(keys);
}


static void
ngx_torii_key_done_handler(ngx_event_t *ev)
{
    uint64_t              n;
    ngx_connection_t     *c;
    ngx_torii_keys_t     *keys;
    ngx_torii_key_job_t  *job;

    c = ev->data;
    keys = c->data;

    if (read(c->fd, &n, sizeof(n)) != (ssize_t) sizeof(n)) {
        return;
    }

    job = keys->job;

    if (job == NULL || !__atomic_load_n(&job->done, __ATOMIC_ACQUIRE)) {
        return;
    }

    keys->job = NULL;

    ngx_torii_key_tell(keys, job);
    ngx_torii_key_run(keys);
}


static void
ngx_torii_key_run(ngx_torii_keys_t *keys)
{
    ngx_queue_t          *q;
    ngx_torii_key_job_t  *job;

    while (keys->job == NULL && !ngx_queue_empty(&keys->jobs)) {
        q = ngx_queue_head(&keys->jobs);
        ngx_queue_remove(q);
        keys->n--;

        job = ngx_queue_data(q, ngx_torii_key_job_t, queue);

        if (ngx_torii_key_start(keys, job) != NGX_OK) {
            ngx_torii_key_tell(keys, job);
            continue;
        }

        keys->job = job;
    }
}


/* Signals are for nginx's own thread: this one is born with all blocked. */

static ngx_int_t
ngx_torii_key_start(ngx_torii_keys_t *keys, ngx_torii_key_job_t *job)
{
    int       rc;
    sigset_t  all, old;

    ngx_torii_key_join(keys);

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &old);

    rc = pthread_create(&keys->tid, NULL, ngx_torii_key_thread, job);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    if (rc != 0) {
        ngx_log_error(NGX_LOG_ERR, keys->log, rc,
                      "torii: no thread for a private key");
        return NGX_ERROR;
    }

    keys->joinable = 1;

    return NGX_OK;
}


/* Of a thread that has told its key: it is at its end, there is no wait. */

static void
ngx_torii_key_join(ngx_torii_keys_t *keys)
{
    if (keys->joinable) {
        keys->joinable = 0;
        (void) pthread_join(keys->tid, NULL);
    }
}


/* Once done is set the job may be gone: the descriptor is remembered. */

static void *
ngx_torii_key_thread(void *data)
{
    ngx_torii_key_job_t *job = data;

    int  fd;

    fd = job->fd;

    /* of this thread alone on Linux: requests and routes go first */

    (void) setpriority(PRIO_PROCESS, 0, NGX_TORII_KEY_NICE);

    job->key = torii_key_generate(job->type);

    __atomic_store_n(&job->done, 1, __ATOMIC_RELEASE);

    (void) eventfd_write(fd, 1);

    return NULL;
}


static void
ngx_torii_key_tell(ngx_torii_keys_t *keys, ngx_torii_key_job_t *job)
{
    keys->handler(keys->data, job->term, job->ticket, job->key);
    free(job);
}


/*
 * OpenSSL takes itself down at exit(), also below a thread that is at work in
 * it: there is no waiting for that, which may take seconds.
 */

void
ngx_torii_key_goodbye(void)
{
    ngx_torii_keys_t  *keys;

    keys = ngx_torii_keys;

    if (keys == NULL) {
        return;
    }

    if (keys->job != NULL) {
        _exit(0);
    }

    ngx_torii_key_join(keys);
}
