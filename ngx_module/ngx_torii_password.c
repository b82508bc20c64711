
/*
 * Whether a password fits a hash: crypt(3) may take a tenth of a second, so one
 * thread of this process does it, and what it found is kept for a while.  The
 * thread knows its own job only and calls nothing of nginx but ngx_crypt().
 */

#include "ngx_http_torii_gate.h"

#include <ngx_crypt.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>


#define NGX_TORII_PASSWORD_KEPT     1024       /* answers */
#define NGX_TORII_PASSWORD_QUEUE    64         /* that wait for the thread */
#define NGX_TORII_PASSWORD_RIGHT    300        /* s that an answer is kept … */
#define NGX_TORII_PASSWORD_WRONG    10         /* … and a refusal */
#define NGX_TORII_PASSWORD_BCRYPT   14         /* cost, at most: a second */
#define NGX_TORII_PASSWORD_ROUNDS   1000000    /* of SHA-crypt, at most */


typedef struct {
    u_char                   id[32];
    time_t                   until;
    ngx_uint_t               right;
} ngx_torii_password_kept_t;

typedef struct {
    ngx_queue_t              queue;
    ngx_queue_t              waiting;  /* ngx_torii_password_wait_t */
    u_char                   id[32];
    int                      fd;       /* to tell */
    u_char                  *password; /* with a NUL behind, as the hash */
    u_char                  *hash;
    size_t                   len;      /* of password */
    ngx_uint_t               right;    /* the thread's until done */
    unsigned                 done;
} ngx_torii_password_job_t;

/* A request that waits; it leaves when it ends. */

typedef struct {
    ngx_queue_t              queue;
    ngx_http_request_t      *request;
} ngx_torii_password_wait_t;

typedef struct {
    ngx_connection_t            *connection;   /* of the eventfd */
    ngx_torii_password_job_t    *job;          /* whose thread runs */
    pthread_t                    tid;
    unsigned                     joinable:1;
    ngx_queue_t                  jobs;         /* that wait */
    ngx_uint_t                   n;
    u_char                       secret[32];   /* of ids */
    ngx_torii_password_kept_t    kept[NGX_TORII_PASSWORD_KEPT];
} ngx_torii_passwords_t;


static ngx_torii_passwords_t *ngx_torii_passwords(void);
static ngx_int_t ngx_torii_password_watch(ngx_torii_passwords_t *p, int fd);
static ngx_torii_password_kept_t *ngx_torii_password_slot(
    ngx_torii_passwords_t *p, const u_char id[32]);
static ngx_uint_t ngx_torii_password_quick(torii_str_t hash);
static ngx_uint_t ngx_torii_password_costly(torii_str_t hash);
static ngx_uint_t ngx_torii_password_fits(u_char *password, u_char *hash);
static void ngx_torii_password_keep(ngx_torii_passwords_t *p,
    const u_char id[32], ngx_uint_t right);
static ngx_torii_password_job_t *ngx_torii_password_job(
    ngx_torii_passwords_t *p, const u_char id[32]);
static ngx_torii_password_job_t *ngx_torii_password_enqueue(
    ngx_torii_passwords_t *p, const u_char id[32], torii_str_t password,
    torii_str_t hash);
static ngx_int_t ngx_torii_password_join(ngx_http_request_t *r,
    ngx_torii_password_job_t *job);
static void ngx_torii_password_left(void *data);
static void ngx_torii_password_run(ngx_torii_passwords_t *p);
static void *ngx_torii_password_thread(void *data);
static void ngx_torii_password_handler(ngx_event_t *ev);
static void ngx_torii_password_tell(ngx_torii_passwords_t *p,
    ngx_torii_password_job_t *job);


/* Of this process. */
static ngx_torii_passwords_t  *ngx_torii_passwords_one;


ngx_int_t
ngx_torii_password(ngx_http_request_t *r, const u_char id[32],
    torii_str_t password, torii_str_t hash)
{
    ngx_torii_passwords_t      *p;
    ngx_torii_password_job_t   *job;
    ngx_torii_password_kept_t  *kept;

    p = ngx_torii_passwords();
    if (p == NULL) {
        return NGX_BUSY;
    }

    kept = ngx_torii_password_slot(p, id);

    if (kept->until > ngx_time()
        && ngx_memcmp(kept->id, id, sizeof(kept->id)) == 0)
    {
        return kept->right ? NGX_OK : NGX_DECLINED;
    }

    if (ngx_torii_password_costly(hash)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "torii: a user's hash has too many rounds to be tried: "
                      "bcrypt may have a cost of %d, SHA-crypt %d rounds",
                      NGX_TORII_PASSWORD_BCRYPT, NGX_TORII_PASSWORD_ROUNDS);
        return NGX_DECLINED;
    }

    job = ngx_torii_password_job(p, id);

    if (job == NULL) {

        if (p->n == NGX_TORII_PASSWORD_QUEUE) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "torii: too many passwords are to be tried");
            return NGX_BUSY;
        }

        job = ngx_torii_password_enqueue(p, id, password, hash);

        if (ngx_torii_password_quick(hash)) {
            ngx_queue_remove(&job->queue);
            p->n--;

            job->right = ngx_torii_password_fits(job->password, job->hash);
            ngx_torii_password_tell(p, job);

            return ngx_torii_password_slot(p, id)->right ? NGX_OK
                                                         : NGX_DECLINED;
        }
    }

    if (ngx_torii_password_join(r, job) != NGX_OK) {
        return NGX_BUSY;
    }

    ngx_torii_password_run(p);

    return NGX_AGAIN;
}


void
ngx_torii_password_id(torii_str_t user, torii_str_t password,
    torii_str_t hash, u_char id[32])
{
    u_char                  len[3 * sizeof(size_t)];
    EVP_MD_CTX             *ctx;
    ngx_torii_passwords_t  *p;

    p = ngx_torii_passwords();

    ngx_memzero(id, 32);

    ngx_memcpy(len, &user.len, sizeof(size_t));
    ngx_memcpy(len + sizeof(size_t), &password.len, sizeof(size_t));
    ngx_memcpy(len + 2 * sizeof(size_t), &hash.len, sizeof(size_t));

    ctx = EVP_MD_CTX_new();

    if (p == NULL || ctx == NULL
        || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1
        || EVP_DigestUpdate(ctx, p->secret, sizeof(p->secret)) != 1
        || EVP_DigestUpdate(ctx, len, sizeof(len)) != 1
        || EVP_DigestUpdate(ctx, user.data, user.len) != 1
        || EVP_DigestUpdate(ctx, password.data, password.len) != 1
        || EVP_DigestUpdate(ctx, hash.data, hash.len) != 1
        || EVP_DigestFinal_ex(ctx, id, NULL) != 1)
    {
        /* no two attempts may share a name: a random one finds nothing */

        (void) RAND_bytes(id, 32);
    }

    EVP_MD_CTX_free(ctx);
}


static ngx_torii_passwords_t *
ngx_torii_passwords(void)
{
    int                     fd;
    ngx_torii_passwords_t  *p;

    if (ngx_torii_passwords_one) {
        return ngx_torii_passwords_one;
    }

    p = torii_zalloc(sizeof(ngx_torii_passwords_t));
    ngx_queue_init(&p->jobs);

    fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (RAND_bytes(p->secret, sizeof(p->secret)) != 1 || fd == -1
        || ngx_torii_password_watch(p, fd) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "torii: passwords cannot be tried");

        if (fd != -1) {
            (void) close(fd);
        }

        free(p);
        return NULL;
    }

    ngx_torii_passwords_one = p;

    return p;
}


static ngx_int_t
ngx_torii_password_watch(ngx_torii_passwords_t *p, int fd)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, ngx_cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = p;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_torii_password_handler;

    /* no socket that is left open, when the process ends */

    c->read->resolver = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
        return NGX_ERROR;
    }

    p->connection = c;

    return NGX_OK;
}


static ngx_torii_password_kept_t *
ngx_torii_password_slot(ngx_torii_passwords_t *p, const u_char id[32])
{
    uint32_t  hash;

    ngx_memcpy(&hash, id, sizeof(uint32_t));

    return &p->kept[hash % NGX_TORII_PASSWORD_KEPT];
}


/* "{SHA}" and "{SSHA}" take a microsecond. */

static ngx_uint_t
ngx_torii_password_quick(torii_str_t hash)
{
    return torii_str_starts(hash, "{");
}


static ngx_uint_t
ngx_torii_password_costly(torii_str_t hash)
{
    uint64_t     n;
    torii_str_t  rest;

    rest = hash;

    if (torii_str_starts(hash, "$2") && hash.len > 6) {
        rest.data = hash.data + 4;
        rest.len = 2;

        return torii_str_uint(rest, NGX_TORII_PASSWORD_BCRYPT, &n)
               != TORII_OK;
    }

    if (torii_str_starts(hash, "$5$rounds=")
        || torii_str_starts(hash, "$6$rounds="))
    {
        rest.data += sizeof("$5$rounds=") - 1;
        rest.len = 0;

        while (rest.data + rest.len < hash.data + hash.len
               && rest.data[rest.len] != '$')
        {
            rest.len++;
        }

        return torii_str_uint(rest, NGX_TORII_PASSWORD_ROUNDS, &n)
               != TORII_OK;
    }

    return 0;
}


static ngx_uint_t
ngx_torii_password_fits(u_char *password, u_char *hash)
{
    u_char      *made;
    ngx_log_t    log;
    ngx_pool_t  *pool;
    ngx_uint_t   right;

    ngx_memzero(&log, sizeof(ngx_log_t));

    pool = ngx_create_pool(1024, &log);
    if (pool == NULL) {
        return 0;
    }

    right = 0;

    if (ngx_crypt(pool, password, hash, &made) == NGX_OK) {
        right = ngx_strlen(made) == ngx_strlen(hash)
                && CRYPTO_memcmp(made, hash, ngx_strlen(hash)) == 0;
    }

    ngx_destroy_pool(pool);

    return right;
}


static void
ngx_torii_password_keep(ngx_torii_passwords_t *p, const u_char id[32],
    ngx_uint_t right)
{
    ngx_torii_password_kept_t  *kept;

    kept = ngx_torii_password_slot(p, id);

    ngx_memcpy(kept->id, id, sizeof(kept->id));
    kept->right = right;
    kept->until = ngx_time() + (right ? NGX_TORII_PASSWORD_RIGHT
                                      : NGX_TORII_PASSWORD_WRONG);
}


static ngx_torii_password_job_t *
ngx_torii_password_job(ngx_torii_passwords_t *p, const u_char id[32])
{
    ngx_queue_t               *q;
    ngx_torii_password_job_t  *job;

    if (p->job && ngx_memcmp(p->job->id, id, sizeof(p->job->id)) == 0) {
        return p->job;
    }

    for (q = ngx_queue_head(&p->jobs);
         q != ngx_queue_sentinel(&p->jobs);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_torii_password_job_t, queue);

        if (ngx_memcmp(job->id, id, sizeof(job->id)) == 0) {
            return job;
        }
    }

    return NULL;
}


static ngx_torii_password_job_t *
ngx_torii_password_enqueue(ngx_torii_passwords_t *p, const u_char id[32],
    torii_str_t password, torii_str_t hash)
{
    ngx_torii_password_job_t  *job;

    job = torii_zalloc(sizeof(ngx_torii_password_job_t));

    ngx_queue_init(&job->waiting);
    ngx_memcpy(job->id, id, sizeof(job->id));

    job->fd = p->connection->fd;
    job->len = password.len;
    job->password = torii_zalloc(password.len + 1);
    job->hash = torii_zalloc(hash.len + 1);

    ngx_memcpy(job->password, password.data, password.len);
    ngx_memcpy(job->hash, hash.data, hash.len);

    ngx_queue_insert_tail(&p->jobs, &job->queue);
    p->n++;

    return job;
}


static ngx_int_t
ngx_torii_password_join(ngx_http_request_t *r, ngx_torii_password_job_t *job)
{
    ngx_queue_t                *q;
    ngx_pool_cleanup_t         *cln;
    ngx_torii_password_wait_t  *wait;

    for (q = ngx_queue_head(&job->waiting);
         q != ngx_queue_sentinel(&job->waiting);
         q = ngx_queue_next(q))
    {
        wait = ngx_queue_data(q, ngx_torii_password_wait_t, queue);

        if (wait->request == r) {
            return NGX_OK;
        }
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_torii_password_wait_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    wait = cln->data;
    wait->request = r;

    cln->handler = ngx_torii_password_left;

    ngx_queue_insert_tail(&job->waiting, &wait->queue);

    return NGX_OK;
}


static void
ngx_torii_password_left(void *data)
{
    ngx_torii_password_wait_t *wait = data;

    if (wait->request) {
        ngx_queue_remove(&wait->queue);
    }
}


/* Signals are for nginx's own thread: this one is born with all blocked. */

static void
ngx_torii_password_run(ngx_torii_passwords_t *p)
{
    int                        rc;
    sigset_t                   all, old;
    ngx_queue_t               *q;
    ngx_torii_password_job_t  *job;

    while (p->job == NULL && !ngx_queue_empty(&p->jobs)) {

        q = ngx_queue_head(&p->jobs);
        ngx_queue_remove(q);
        p->n--;

        job = ngx_queue_data(q, ngx_torii_password_job_t, queue);

        if (p->joinable) {
            p->joinable = 0;
            (void) pthread_join(p->tid, NULL);
        }

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &old);

        rc = pthread_create(&p->tid, NULL, ngx_torii_password_thread, job);

        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

        if (rc != 0) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, rc,
                          "torii: no thread for a password");
            ngx_torii_password_tell(p, job);
            continue;
        }

        p->joinable = 1;
        p->job = job;
    }
}


static void *
ngx_torii_password_thread(void *data)
{
    ngx_torii_password_job_t *job = data;

    int  fd;

    /* once done is set the job may be gone */

    fd = job->fd;

    job->right = ngx_torii_password_fits(job->password, job->hash);

    __atomic_store_n(&job->done, 1, __ATOMIC_RELEASE);

    (void) eventfd_write(fd, 1);

    return NULL;
}


static void
ngx_torii_password_handler(ngx_event_t *ev)
{
    uint64_t                   n;
    ngx_connection_t          *c;
    ngx_torii_passwords_t     *p;
    ngx_torii_password_job_t  *job;

    c = ev->data;
    p = c->data;

    if (read(c->fd, &n, sizeof(n)) != (ssize_t) sizeof(n)) {
        return;
    }

    job = p->job;

    if (job == NULL || !__atomic_load_n(&job->done, __ATOMIC_ACQUIRE)) {
        return;
    }

    p->job = NULL;

    ngx_torii_password_tell(p, job);
    ngx_torii_password_run(p);
}


static void
ngx_torii_password_tell(ngx_torii_passwords_t *p,
    ngx_torii_password_job_t *job)
{
    ngx_queue_t                *q;
    ngx_torii_password_wait_t  *wait;

    ngx_torii_password_keep(p, job->id, job->right);

    while (!ngx_queue_empty(&job->waiting)) {
        q = ngx_queue_head(&job->waiting);
        ngx_queue_remove(q);

        wait = ngx_queue_data(q, ngx_torii_password_wait_t, queue);

        ngx_http_torii_gate_wake(wait->request);
        wait->request = NULL;
    }

    OPENSSL_cleanse(job->password, job->len);

    free(job->password);
    free(job->hash);
    free(job);
}


/* There is no waiting for a thread at work in OpenSSL's way out. */

void
ngx_torii_password_goodbye(void)
{
    if (ngx_torii_passwords_one && ngx_torii_passwords_one->job) {
        (void) pthread_join(ngx_torii_passwords_one->tid, NULL);
        ngx_torii_passwords_one->job = NULL;
    }
}
