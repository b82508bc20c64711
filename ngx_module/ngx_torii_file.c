
/*
 * Durable files: written under another name, synced, renamed, and the folder
 * synced, so that a power failure leaves the old one or the new one.
 */

#include "ngx_torii_file.h"

#include <dirent.h>


static ngx_int_t ngx_torii_file_path(ngx_str_t *dir, torii_str_t name,
    u_char *path);
static ngx_int_t ngx_torii_file_folders(u_char *path, size_t from);
static ngx_int_t ngx_torii_file_put(u_char *path, torii_str_t data,
    ngx_uint_t sync);
static void ngx_torii_file_sync_folder(u_char *path);
static void ngx_torii_file_walk(u_char *path, size_t root, size_t len,
    ngx_uint_t depth, ngx_torii_file_pt visit, void *ctx, ngx_log_t *log);
static ngx_int_t ngx_torii_file_read(u_char *path, torii_buf_t *data);


ngx_int_t
ngx_torii_file_write(ngx_str_t *dir, torii_str_t name, torii_str_t data,
    ngx_uint_t sync, ngx_log_t *log)
{
    u_char  *p;
    u_char   path[NGX_MAX_PATH], tmp[NGX_MAX_PATH + sizeof(".new")];

    if (ngx_torii_file_path(dir, name, path) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "torii: no file can be named \"%*s\"", name.len,
                      name.data);
        return NGX_ERROR;
    }

    /* beside it; no name is too long for a name of its own, and one that begins
       with a dot is nobody's */

    p = (u_char *) strrchr((char *) path, '/');

    (void) ngx_sprintf(tmp, "%*s/.new%Z", (size_t) (p - path), path);

    if (ngx_torii_file_folders(path, dir->len) != NGX_OK
        || ngx_torii_file_put(tmp, data, sync) != NGX_OK
        || rename((char *) tmp, (char *) path) != 0)
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "torii: cannot write \"%s\"", path);
        (void) unlink((char *) tmp);
        return NGX_ERROR;
    }

    if (sync) {
        ngx_torii_file_sync_folder(path);
    }

    return NGX_OK;
}


ngx_int_t
ngx_torii_file_remove(ngx_str_t *dir, torii_str_t name, ngx_log_t *log)
{
    u_char  path[NGX_MAX_PATH];

    if (ngx_torii_file_path(dir, name, path) != NGX_OK) {
        return NGX_ERROR;
    }

    if (unlink((char *) path) != 0 && ngx_errno != NGX_ENOENT) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "torii: cannot remove \"%s\"", path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_file_path(ngx_str_t *dir, torii_str_t name, u_char *path)
{
    torii_str_t  rest, piece;

    if (name.len == 0 || dir->len + name.len + 2 > NGX_MAX_PATH) {
        return NGX_ERROR;
    }

    rest = name;

    while (torii_str_next(&rest, "/", &piece)) {
        if (piece.len == 0 || piece.len > 255 || piece.data[0] == '.'
            || torii_str_has_control(piece))
        {
            return NGX_ERROR;
        }
    }

    (void) ngx_sprintf(path, "%V/%*s%Z", dir, name.len, name.data);

    return NGX_OK;
}


/* All folders of the path behind its first bytes, which are there or made. */

static ngx_int_t
ngx_torii_file_folders(u_char *path, size_t from)
{
    int      rc;
    u_char  *p;

    for (p = path + from; *p; p++) {

        if (*p != '/') {
            continue;
        }

        *p = '\0';
        rc = mkdir((char *) path, 0700);
        *p = '/';

        if (rc != 0 && ngx_errno != NGX_EEXIST) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_torii_file_put(u_char *path, torii_str_t data, ngx_uint_t sync)
{
    int      fd;
    ssize_t  n;

    (void) unlink((char *) path);

    fd = open((char *) path, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
              0600);
    if (fd == -1) {
        return NGX_ERROR;
    }

    while (data.len) {
        n = write(fd, data.data, data.len);

        if (n > 0) {
            data.data += n;
            data.len -= n;
            continue;
        }

        if (n == 0 || ngx_errno != NGX_EINTR) {
            break;
        }
    }

    if (data.len || (sync && fsync(fd) != 0)) {
        close(fd);
        return NGX_ERROR;
    }

    return close(fd) == 0 ? NGX_OK : NGX_ERROR;
}


static void
ngx_torii_file_sync_folder(u_char *path)
{
    int      fd;
    u_char  *p;

    p = (u_char *) strrchr((char *) path, '/');
    *p = '\0';

    fd = open((char *) path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    *p = '/';

    if (fd != -1) {
        (void) fsync(fd);
        close(fd);
    }
}


torii_str_t
ngx_torii_file_get(ngx_str_t *dir, torii_str_t name, torii_arena_t *arena)
{
    u_char       path[NGX_MAX_PATH];
    torii_buf_t  buf;
    torii_str_t  data;

    ngx_memzero(&buf, sizeof(torii_buf_t));

    data.len = 0;
    data.data = (u_char *) "";

    if (ngx_torii_file_path(dir, name, path) == NGX_OK
        && ngx_torii_file_read(path, &buf) == NGX_OK)
    {
        data.data = buf.data;
        data.len = buf.len;
        data = torii_arena_str(arena, data);
    }

    if (buf.data) {
        ngx_explicit_memzero(buf.data, buf.size);
    }

    torii_buf_free(&buf);

    return data;
}


void
ngx_torii_file_each(ngx_str_t *dir, ngx_torii_file_pt visit, void *ctx,
    ngx_log_t *log)
{
    u_char  path[NGX_MAX_PATH];

    *ngx_snprintf(path, NGX_MAX_PATH - 1, "%V", dir) = '\0';

    ngx_torii_file_walk(path, dir->len + 1, dir->len, NGX_TORII_FILE_DEPTH,
                        visit, ctx, log);
}


/* path is of len bytes, and is again when this returns. */

static void
ngx_torii_file_walk(u_char *path, size_t root, size_t len, ngx_uint_t depth,
    ngx_torii_file_pt visit, void *ctx, ngx_log_t *log)
{
    DIR            *dir;
    size_t          n;
    struct stat     st;
    torii_buf_t     data;
    torii_str_t     name, text;
    struct dirent  *de;

    dir = opendir((char *) path);

    if (dir == NULL) {
        if (ngx_errno != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                          "torii: cannot read \"%s\"", path);
        }

        return;
    }

    ngx_memzero(&data, sizeof(torii_buf_t));

    while ((de = readdir(dir)) != NULL) {

        n = ngx_strlen(de->d_name);

        if (de->d_name[0] == '.' || len + n + 2 > NGX_MAX_PATH
            || (n > 4 && ngx_strcmp(de->d_name + n - 4, ".tmp") == 0))
        {
            continue;
        }

        (void) ngx_sprintf(path + len, "/%s%Z", de->d_name);

        if (lstat((char *) path, &st) != 0) {
            continue;
        }

        if (S_ISDIR(st.st_mode) && depth) {
            ngx_torii_file_walk(path, root, len + 1 + n, depth - 1, visit,
                                ctx, log);
            continue;
        }

        if (!S_ISREG(st.st_mode)) {
            continue;
        }

        data.len = 0;

        if (ngx_torii_file_read(path, &data) != NGX_OK) {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                          "torii: cannot read \"%s\"", path);
            continue;
        }

        name.data = path + root;
        name.len = len + 1 + n - root;
        text.data = data.data;
        text.len = data.len;

        visit(ctx, name, text);
    }

    /* these were keys */

    if (data.data) {
        ngx_explicit_memzero(data.data, data.size);
    }

    torii_buf_free(&data);
    closedir(dir);

    path[len] = '\0';
}


static ngx_int_t
ngx_torii_file_read(u_char *path, torii_buf_t *data)
{
    int      fd;
    ssize_t  n;

    fd = open((char *) path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    if (fd == -1) {
        return NGX_ERROR;
    }

    for ( ;; ) {
        n = read(fd, torii_buf_room(data, 8192), 8192);

        if (n <= 0) {
            break;
        }

        data->len += n;

        if (data->len > NGX_TORII_FILE_MAX) {
            n = -1;
            break;
        }
    }

    close(fd);

    return n == 0 ? NGX_OK : NGX_ERROR;
}
