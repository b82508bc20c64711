
/*
 * The writer's side of the control page and the table files.  A table is
 * written under a name that nobody looks at, renamed, and only then named in
 * the control page: no reader ever meets half a file.
 *
 * Nothing is synced to the disk.  After a power failure a file may be short or
 * empty; its checksum tells, readers take the one before, and the helper
 * writes a new one as soon as it has read its source.
 */

#include "ngx_torii_helper.h"

#include <dirent.h>


#define NGX_TORII_PUBLISH_KEPT      3
#define NGX_TORII_PUBLISH_LARGEST   (1ULL << 62)


static ngx_int_t ngx_torii_publish_page(ngx_torii_publisher_t *pub,
    u_char *path, ngx_log_t *log);
static ngx_int_t ngx_torii_publish_new_page(u_char *path, ngx_log_t *log);
static ngx_int_t ngx_torii_publish_sweep(ngx_torii_publisher_t *pub,
    uint64_t keep, uint64_t *largest, ngx_log_t *log);
static ngx_int_t ngx_torii_publish_same(ngx_torii_publisher_t *pub,
    torii_buf_t *bytes);
static ngx_int_t ngx_torii_publish_write(u_char *path, u_char *data,
    size_t len, ngx_log_t *log);
static void ngx_torii_publish_path(ngx_torii_publisher_t *pub, u_char *path,
    uint64_t generation);


ngx_int_t
ngx_torii_publish_open(ngx_torii_publisher_t *pub, ngx_log_t *log)
{
    u_char    path[NGX_MAX_PATH];
    uint64_t  largest;

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/control", &pub->dir) = 0;

    if (ngx_torii_publish_page(pub, path, log) != NGX_OK) {

        if (ngx_torii_publish_new_page(path, log) != NGX_OK
            || ngx_torii_publish_page(pub, path, log) != NGX_OK)
        {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                          "torii: cannot make the control page \"%s\"", path);
            return NGX_ERROR;
        }
    }

    /* a file without its page, or one renamed but not yet named in it */

    if (ngx_torii_publish_sweep(pub, 0, &largest, log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (largest > pub->control->generation) {
        __atomic_store_n(&pub->control->generation, largest, __ATOMIC_RELEASE);
    }

    return ngx_torii_publish_sweep(pub, pub->control->generation, &largest,
                                   log);
}


static ngx_int_t
ngx_torii_publish_page(ngx_torii_publisher_t *pub, u_char *path,
    ngx_log_t *log)
{
    int                   fd;
    struct stat           st;
    ngx_torii_control_t  *control;

    fd = open((char *) path, O_RDWR|O_NOFOLLOW|O_CLOEXEC);
    if (fd == -1) {
        return NGX_DECLINED;
    }

    control = MAP_FAILED;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
        && st.st_size >= NGX_TORII_CONTROL_SIZE)
    {
        control = mmap(NULL, NGX_TORII_CONTROL_SIZE, PROT_READ|PROT_WRITE,
                       MAP_SHARED, fd, 0);
    }

    close(fd);

    if (control == MAP_FAILED) {
        return NGX_DECLINED;
    }

    if (control->magic != NGX_TORII_CONTROL_MAGIC
        || control->generation > NGX_TORII_PUBLISH_LARGEST)
    {
        munmap(control, NGX_TORII_CONTROL_SIZE);
        return NGX_DECLINED;
    }

    pub->control = control;
    pub->dev = st.st_dev;
    pub->ino = st.st_ino;

    return NGX_OK;
}


/* All bytes are written: a hole could not be filled when the disk is full. */

static ngx_int_t
ngx_torii_publish_new_page(u_char *path, ngx_log_t *log)
{
    u_char                tmp[NGX_MAX_PATH];
    u_char                page[NGX_TORII_CONTROL_SIZE];
    ngx_torii_control_t  *control;

    ngx_memzero(page, sizeof(page));

    control = (ngx_torii_control_t *) page;
    control->magic = NGX_TORII_CONTROL_MAGIC;

    *ngx_snprintf(tmp, NGX_MAX_PATH - 1, "%s.tmp", path) = 0;

    if (ngx_torii_publish_write(tmp, page, sizeof(page), log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (rename((char *) tmp, (char *) path) != 0) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * keep 0: only find the largest generation.  Else remove all table files but
 * the last few up to keep, and temporary ones.
 */

static ngx_int_t
ngx_torii_publish_sweep(ngx_torii_publisher_t *pub, uint64_t keep,
    uint64_t *largest, ngx_log_t *log)
{
    int             table, temporary;
    DIR            *dir;
    u_char          path[NGX_MAX_PATH];
    uint64_t        g;
    torii_str_t     name;
    struct dirent  *de;

    *largest = 0;

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V", &pub->dir) = 0;

    dir = opendir((char *) path);
    if (dir == NULL) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "torii: cannot read \"%s\"", path);
        return NGX_ERROR;
    }

    for ( ;; ) {
        de = readdir(dir);
        if (de == NULL) {
            break;
        }

        name = torii_str(de->d_name);

        if (!torii_str_starts(name, "table.")) {
            continue;
        }

        name.data += sizeof("table.") - 1;
        name.len -= sizeof("table.") - 1;

        table = torii_str_uint(name, NGX_TORII_PUBLISH_LARGEST, &g) == TORII_OK;
        temporary = name.len > 4
                    && ngx_memcmp(name.data + name.len - 4, ".tmp", 4) == 0;

        if (table && g > *largest) {
            *largest = g;
        }

        if (keep == 0 || !(table || temporary)
            || (table && g <= keep && g + NGX_TORII_PUBLISH_KEPT > keep))
        {
            continue;
        }

        *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/%s", &pub->dir,
                      de->d_name) = 0;
        (void) unlink((char *) path);
    }

    closedir(dir);

    return NGX_OK;
}


ngx_int_t
ngx_torii_publish(ngx_torii_publisher_t *pub, torii_buf_t *bytes,
    ngx_log_t *log)
{
    u_char                path[NGX_MAX_PATH], tmp[NGX_MAX_PATH];
    uint64_t              generation;
    ngx_torii_control_t  *control;

    control = pub->control;

    if (ngx_torii_publish_same(pub, bytes) == NGX_OK) {
        return NGX_DECLINED;
    }

    generation = control->generation + 1;

    ngx_torii_publish_path(pub, path, generation);
    *ngx_snprintf(tmp, NGX_MAX_PATH - 1, "%s.tmp", path) = 0;

    if (ngx_torii_publish_write(tmp, bytes->data, bytes->len, log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (rename((char *) tmp, (char *) path) != 0) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "torii: cannot rename \"%s\"", tmp);
        (void) unlink((char *) tmp);
        return NGX_ERROR;
    }

    __atomic_store_n(&control->generation, generation, __ATOMIC_RELEASE);

    if (generation > NGX_TORII_PUBLISH_KEPT) {
        ngx_torii_publish_path(pub, path, generation - NGX_TORII_PUBLISH_KEPT);
        (void) unlink((char *) path);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_publish_same(ngx_torii_publisher_t *pub, torii_buf_t *bytes)
{
    int          fd, same;
    void        *p;
    u_char       path[NGX_MAX_PATH];
    struct stat  st;

    ngx_torii_publish_path(pub, path, pub->control->generation);

    fd = open((char *) path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    if (fd == -1) {
        return NGX_DECLINED;
    }

    same = 0;

    if (fstat(fd, &st) == 0 && st.st_size > 0
        && (size_t) st.st_size == bytes->len)
    {
        p = mmap(NULL, bytes->len, PROT_READ, MAP_PRIVATE, fd, 0);

        if (p != MAP_FAILED) {
            same = ngx_memcmp(p, bytes->data, bytes->len) == 0;
            munmap(p, bytes->len);
        }
    }

    close(fd);

    return same ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_torii_publish_write(u_char *path, u_char *data, size_t len, ngx_log_t *log)
{
    int      fd;
    ssize_t  n;

    (void) unlink((char *) path);

    fd = open((char *) path, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
              0600);
    if (fd == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "torii: cannot create \"%s\"", path);
        return NGX_ERROR;
    }

    while (len) {
        n = write(fd, data, len);

        if (n > 0) {
            data += n;
            len -= n;
            continue;
        }

        if (n == 0 || ngx_errno != NGX_EINTR) {
            break;
        }
    }

    /* a network or quota file system may fail as late as here */

    if (len || close(fd) != 0) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "torii: cannot write \"%s\"", path);

        if (len) {
            close(fd);
        }

        (void) unlink((char *) path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_torii_publish_last(ngx_torii_publisher_t *pub, ingress_table_t *table)
{
    char      error[128];
    u_char    path[NGX_MAX_PATH];
    uint64_t  g, n;

    g = pub->control->generation;

    for (n = 0; n < NGX_TORII_PUBLISH_KEPT && g; n++, g--) {

        ngx_torii_publish_path(pub, path, g);

        if (ingress_table_open(table, (char *) path, error) == TORII_OK) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static void
ngx_torii_publish_path(ngx_torii_publisher_t *pub, u_char *path,
    uint64_t generation)
{
    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/table.%uL", &pub->dir,
                  generation) = 0;
}


ngx_uint_t
ngx_torii_publish_moved(u_char *path, dev_t dev, ino_t ino)
{
    struct stat  st;

    if (lstat((char *) path, &st) != 0) {
        return ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR;
    }

    return st.st_dev != dev || st.st_ino != ino;
}


ngx_uint_t
ngx_torii_publish_lost(ngx_torii_publisher_t *pub)
{
    u_char  path[NGX_MAX_PATH];

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V/control", &pub->dir) = 0;

    return ngx_torii_publish_moved(path, pub->dev, pub->ino);
}


uint64_t
ngx_torii_publish_ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


uint64_t
ngx_torii_publish_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


uint64_t
ngx_torii_publish_cpu(void)
{
    struct timespec  ts;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) != 0) {
        return 0;
    }

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
