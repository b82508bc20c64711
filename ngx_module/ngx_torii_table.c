
/*
 * The control page and the mapped routing tables of one process.  The helper
 * publishes a table file and then its generation; every other process compares
 * one number per request and maps the new file when it differs.
 *
 * A table that was replaced goes with its last request.  Requests may last for
 * hours, and the files are removed from the disk only when nobody has them
 * mapped: so a timer shrinks such tables.  The same timer looks for a new table
 * where no request does, more and more seldom.
 */

#include "ngx_http_torii.h"


#define NGX_TORII_REGEXES        4096
#define NGX_TORII_RETRY          1000
#define NGX_TORII_KEPT           3            /* table files on disk */
#define NGX_TORII_SILENCE        3000         /* of the helper, ms */

/* A replaced table is shrunk after 2 to 4 seconds: most requests end sooner. */
#define NGX_TORII_LOOK           2000
#define NGX_TORII_LOOK_MAX       64000

#define NGX_TORII_ROOM           16384        /* mapped when larger */


typedef struct {
    ngx_torii_control_t   *control;
    dev_t                  dev;          /* of the control page's file */
    ino_t                  ino;
    time_t                 looked;       /* whether it is still that file */
    ngx_uint_t             logged;

    ngx_torii_table_t     *current;
    ngx_uint_t             foreign;      /* current is of an earlier page */
    uint64_t               refused;      /* generation that cannot be used */
    ngx_msec_t             retry;        /* when to look at it again */

    ngx_queue_t            old;          /* replaced, not shrunk; by time */
    ngx_event_t            look;
    ngx_msec_t             wait;         /* of the look */
    ngx_connection_t       dummy;        /* what events point to */

    torii_regex_cache_t   *regexes;
} ngx_torii_tables_t;

typedef struct {
    void                  *addr;
    size_t                 size;
} ngx_torii_room_t;


static ngx_int_t ngx_torii_control_map(ngx_http_torii_main_conf_t *tmcf,
    ngx_log_t *log);
static void ngx_torii_control_look(ngx_http_torii_main_conf_t *tmcf,
    ngx_log_t *log);
static void ngx_torii_table_load(ngx_http_torii_main_conf_t *tmcf,
    uint64_t generation, ngx_log_t *log);
static ngx_torii_table_t *ngx_torii_table_newest(
    ngx_http_torii_main_conf_t *tmcf, uint64_t generation, ngx_log_t *log);
static ngx_torii_table_t *ngx_torii_table_open(
    ngx_http_torii_main_conf_t *tmcf, uint64_t generation, ngx_log_t *log);
static ngx_uint_t ngx_torii_table_removed(uint64_t generation);
static ngx_int_t ngx_torii_table_trusted(ngx_torii_table_t *table);
static void ngx_torii_table_replace(ngx_torii_table_t *table);
static void ngx_torii_tables_look(ngx_event_t *ev);
static void ngx_torii_tables_shrink(ngx_log_t *log);
static void ngx_torii_table_room_free(void *data);
static void ngx_torii_table_release(ngx_torii_table_t *table);
static void ngx_torii_table_retire(ngx_event_t *ev);


/*
 * Process-wide and not of the cycle: it describes files that outlive every
 * cycle, and each worker is forked with it empty.
 */
static ngx_torii_tables_t  ngx_torii_tables;


ngx_torii_control_t *
ngx_torii_control(void)
{
    return ngx_torii_tables.control;
}


torii_regex_cache_t *
ngx_torii_regexes(void)
{
    if (ngx_torii_tables.regexes == NULL) {
        ngx_torii_tables.regexes = torii_regex_cache_create(NGX_TORII_REGEXES);
    }

    return ngx_torii_tables.regexes;
}


ngx_torii_table_t *
ngx_torii_table_current(ngx_http_torii_main_conf_t *tmcf, ngx_log_t *log)
{
    uint64_t             generation;
    ngx_torii_tables_t  *tables;

    tables = &ngx_torii_tables;

    if (tables->looked != ngx_time()) {
        ngx_torii_control_look(tmcf, log);
    }

    if (tables->control == NULL && ngx_torii_control_map(tmcf, log) != NGX_OK) {
        return tables->current;
    }

    generation = __atomic_load_n(&tables->control->generation,
                                 __ATOMIC_ACQUIRE);

    if (tables->current && tables->current->generation == generation
        && !tables->foreign)
    {
        return tables->current;
    }

    if (generation == tables->refused
        && (ngx_msec_int_t) (ngx_current_msec - tables->retry) < 0)
    {
        return tables->current;
    }

    ngx_torii_table_load(tmcf, generation, log);

    return tables->current;
}


static ngx_int_t
ngx_torii_control_map(ngx_http_torii_main_conf_t *tmcf, ngx_log_t *log)
{
    void        *p;
    u_char       path[NGX_MAX_PATH];
    ngx_fd_t     fd;
    struct stat  st;

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/control", &tmcf->table_dir) = 0;

    fd = ngx_open_file(path, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        if (!ngx_torii_tables.logged) {
            ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                          "torii: cannot open \"%s\", no change of routes "
                          "until the helper has made it", path);
            ngx_torii_tables.logged = 1;
        }

        return NGX_ERROR;
    }

    p = MAP_FAILED;

    if (fstat(fd, &st) == 0 && st.st_size >= NGX_TORII_CONTROL_SIZE) {
        p = mmap(NULL, NGX_TORII_CONTROL_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    }

    ngx_close_file(fd);

    if (p == MAP_FAILED) {
        return NGX_ERROR;
    }

    if (((ngx_torii_control_t *) p)->magic != NGX_TORII_CONTROL_MAGIC) {
        munmap(p, NGX_TORII_CONTROL_SIZE);
        return NGX_ERROR;
    }

    ngx_torii_tables.control = p;
    ngx_torii_tables.dev = st.st_dev;
    ngx_torii_tables.ino = st.st_ino;
    ngx_torii_tables.logged = 0;
    ngx_torii_tables.refused = 0;

    return NGX_OK;
}


/*
 * Once a second, and only when the helper is not heard of: somebody may have
 * emptied the state folder under us, and then the helper writes another page.
 */

static void
ngx_torii_control_look(ngx_http_torii_main_conf_t *tmcf, ngx_log_t *log)
{
    u_char               path[NGX_MAX_PATH];
    uint64_t             now, beat;
    struct stat          st;
    ngx_torii_tables_t  *tables;

    tables = &ngx_torii_tables;

    tables->looked = ngx_time();

    if (tables->control == NULL) {
        return;
    }

    beat = tables->control->beat;
    now = (uint64_t) ngx_time() * 1000;

    if (now < beat + NGX_TORII_SILENCE) {
        return;
    }

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/control", &tmcf->table_dir) = 0;

    if (stat((char *) path, &st) != 0
        || (st.st_dev == tables->dev && st.st_ino == tables->ino))
    {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "torii: \"%s\" is another file now", path);

    munmap(tables->control, NGX_TORII_CONTROL_SIZE);

    tables->control = NULL;
    tables->foreign = 1;
}


/* What we heard of may be removed by now, when the helper is quick. */

static void
ngx_torii_table_load(ngx_http_torii_main_conf_t *tmcf, uint64_t generation,
    ngx_log_t *log)
{
    uint64_t             newer;
    ngx_torii_table_t   *table;
    ngx_torii_tables_t  *tables;

    tables = &ngx_torii_tables;

    for ( ;; ) {
        table = ngx_torii_table_newest(tmcf, generation, log);

        newer = __atomic_load_n(&tables->control->generation,
                                __ATOMIC_ACQUIRE);

        if (table || newer == generation) {
            break;
        }

        generation = newer;
    }

    if (table == NULL || table->generation != generation) {
        tables->refused = generation;
        tables->retry = ngx_current_msec + NGX_TORII_RETRY;
    }

    if (table == NULL) {
        return;
    }

    ngx_torii_table_replace(table);

    ngx_log_error(NGX_LOG_INFO, log, 0,
                  "torii: table %uL in force: %uD routes, %uz bytes",
                  table->generation, ingress_table_n(&table->table, ROUTES),
                  table->table.size);
}


/*
 * The newest file that is sound and newer than the current one.  At a cold
 * start that may be an older one: better yesterday's routes than none.
 */

static ngx_torii_table_t *
ngx_torii_table_newest(ngx_http_torii_main_conf_t *tmcf, uint64_t generation,
    ngx_log_t *log)
{
    uint64_t             g, oldest;
    ngx_torii_table_t   *table;
    ngx_torii_tables_t  *tables;

    tables = &ngx_torii_tables;

    if (generation == tables->refused) {
        log = NULL;
    }

    oldest = generation > NGX_TORII_KEPT ? generation - NGX_TORII_KEPT : 0;

    for (g = generation; g > oldest; g--) {

        if (tables->current && !tables->foreign
            && g == tables->current->generation)
        {
            break;
        }

        table = ngx_torii_table_open(tmcf, g, log);
        if (table) {
            return table;
        }
    }

    return NULL;
}


static ngx_torii_table_t *
ngx_torii_table_open(ngx_http_torii_main_conf_t *tmcf, uint64_t generation,
    ngx_log_t *log)
{
    char                error[128];
    u_char              path[NGX_MAX_PATH];
    ngx_pool_t         *pool;
    ngx_torii_table_t  *table;

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/table.%uL", &tmcf->table_dir,
                  generation) = 0;

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    table = ngx_pcalloc(pool, sizeof(ngx_torii_table_t));
    if (table == NULL) {
        goto failed;
    }

    table->pool = pool;
    table->generation = generation;
    table->refs = 1;

    ngx_queue_init(&table->requests);
    ngx_queue_init(&table->queue);

    if (ingress_table_open(&table->table, (char *) path, error) != TORII_OK) {

        if (log && !ngx_torii_table_removed(generation)) {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "torii: table \"%s\" is refused, the last good one "
                          "goes on serving: %s", path, error);
        }

        goto failed;
    }

    if (ngx_torii_table_trusted(table) != NGX_OK) {
        ingress_table_close(&table->table);
        goto failed;
    }

    return table;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


static ngx_uint_t
ngx_torii_table_removed(uint64_t generation)
{
    return generation + NGX_TORII_KEPT
           <= __atomic_load_n(&ngx_torii_tables.control->generation,
                              __ATOMIC_ACQUIRE);
}


/* proxy-real-ip-cidr in the form that ngx_http_get_forwarded_addr() takes */

static ngx_int_t
ngx_torii_table_trusted(ngx_torii_table_t *table)
{
    u_char                   *p;
    uint32_t                  i, n;
    ngx_uint_t                bits, j;
    ngx_cidr_t               *cidr;
    torii_str_t               list;
    const ingress_network_t  *net;

    static const u_char       mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                             0xff, 0xff };

    list = ingress_table_str(&table->table,
                             table->table.header->global.real_ip_networks);

    net = (const ingress_network_t *) list.data;
    n = list.len / sizeof(ingress_network_t);

    table->trusted = ngx_array_create(table->pool, n + 1, sizeof(ngx_cidr_t));
    if (table->trusted == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        cidr = ngx_array_push(table->trusted);
        if (cidr == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(cidr, sizeof(ngx_cidr_t));

        if (net[i].bits >= 96 && ngx_memcmp(net[i].addr, mapped, 12) == 0) {
            bits = net[i].bits - 96;
            cidr->family = AF_INET;
            cidr->u.in.mask = bits ? htonl((uint32_t) (0xffffffffu
                                                       << (32 - bits))) : 0;

            ngx_memcpy(&cidr->u.in.addr, &net[i].addr[12], 4);
            cidr->u.in.addr &= cidr->u.in.mask;
            continue;
        }

#if (NGX_HAVE_INET6)
        cidr->family = AF_INET6;

        p = cidr->u.in6.mask.s6_addr;

        for (j = 0, bits = net[i].bits; j < 16; j++) {
            p[j] = bits >= 8 ? 0xff : (u_char) (0xff << (8 - bits));
            cidr->u.in6.addr.s6_addr[j] = net[i].addr[j] & p[j];
            bits = bits >= 8 ? bits - 8 : 0;
        }
#endif
    }

    return NGX_OK;
}


static void
ngx_torii_table_replace(ngx_torii_table_t *table)
{
    ngx_torii_table_t   *old;
    ngx_torii_tables_t  *tables;

    tables = &ngx_torii_tables;

    if (tables->look.handler == NULL) {
        ngx_queue_init(&tables->old);

        tables->dummy.fd = (ngx_socket_t) -1;

        tables->look.handler = ngx_torii_tables_look;
        tables->look.data = &tables->dummy;
        tables->look.log = ngx_cycle->log;
        tables->look.cancelable = 1;
    }

    old = tables->current;

    tables->current = table;
    tables->foreign = 0;

    if (old) {
        old->replaced = ngx_current_msec;
        ngx_queue_insert_tail(&tables->old, &old->queue);

        ngx_torii_table_release(old);
    }

    if (!tables->look.timer_set || tables->wait > NGX_TORII_LOOK) {
        tables->wait = NGX_TORII_LOOK;
        ngx_add_timer(&tables->look, tables->wait);
    }
}


static void
ngx_torii_tables_look(ngx_event_t *ev)
{
    ngx_torii_tables_t          *tables;
    ngx_http_torii_main_conf_t  *tmcf;

    tables = &ngx_torii_tables;

    tmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_torii_module);

    if (tmcf && tmcf->state) {
        (void) ngx_torii_table_current(tmcf, ngx_cycle->log);
    }

    ngx_torii_tables_shrink(ngx_cycle->log);

    if (!ev->timer_set) {
        tables->wait = ngx_queue_empty(&tables->old)
                       ? ngx_min(2 * tables->wait, NGX_TORII_LOOK_MAX)
                       : NGX_TORII_LOOK;

        ngx_add_timer(ev, tables->wait);
    }
}


static void
ngx_torii_tables_shrink(ngx_log_t *log)
{
    ngx_queue_t         *q;
    ngx_torii_table_t   *table;
    ngx_torii_tables_t  *tables;

    tables = &ngx_torii_tables;

    while (!ngx_queue_empty(&tables->old)) {

        q = ngx_queue_head(&tables->old);
        table = ngx_queue_data(q, ngx_torii_table_t, queue);

        if (ngx_current_msec - table->replaced < NGX_TORII_LOOK) {
            return;
        }

        ngx_queue_remove(q);
        ngx_queue_init(q);

        if (ngx_torii_table_shrink(table, log) == NGX_OK) {
            ngx_log_debug1(NGX_LOG_DEBUG_HTTP, log, 0,
                           "torii: table %uL is shrunk", table->generation);
        }
    }
}


void *
ngx_torii_table_room(ngx_torii_table_t *table, size_t size)
{
    void                *p;
    ngx_torii_room_t    *room;
    ngx_pool_cleanup_t  *cln;

    if (size < NGX_TORII_ROOM) {
        return ngx_pcalloc(table->pool, size);
    }

    cln = ngx_pool_cleanup_add(table->pool, sizeof(ngx_torii_room_t));
    if (cln == NULL) {
        return NULL;
    }

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "torii: no memory for what is known of a table");
        return NULL;
    }

    room = cln->data;
    room->addr = p;
    room->size = size;

    cln->handler = ngx_torii_table_room_free;

    return p;
}


static void
ngx_torii_table_room_free(void *data)
{
    ngx_torii_room_t *room = data;

    (void) munmap(room->addr, room->size);
}


void
ngx_torii_table_hold(ngx_torii_table_t *table, ngx_http_torii_ctx_t *ctx)
{
    ctx->table = table;
    table->refs++;

    ngx_queue_insert_head(&table->requests, &ctx->queue);
}


void
ngx_torii_table_leave(ngx_http_torii_ctx_t *ctx)
{
    ngx_queue_remove(&ctx->queue);

    ngx_torii_table_release(ctx->table);
}


/*
 * nginx looks at a location's configuration once more after it has freed the
 * request (ngx_http_set_keepalive()): the memory goes in a later event.
 */

static void
ngx_torii_table_release(ngx_torii_table_t *table)
{
    if (--table->refs) {
        return;
    }

    ngx_queue_remove(&table->queue);

    table->retire.handler = ngx_torii_table_retire;
    table->retire.data = &ngx_torii_tables.dummy;
    table->retire.log = ngx_cycle->log;

    ngx_post_event(&table->retire, &ngx_posted_events);
}


static void
ngx_torii_table_retire(ngx_event_t *ev)
{
    ngx_torii_table_t  *table;

    table = (ngx_torii_table_t *)
                ((u_char *) ev - offsetof(ngx_torii_table_t, retire));

    ingress_table_close(&table->table);
    ngx_destroy_pool(table->pool);
}
