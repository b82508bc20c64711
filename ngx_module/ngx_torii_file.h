
/*
 * Files that must be there after a crash: whole or not at all.  Blocking, but
 * small; for the helper only.
 */

#ifndef _NGX_TORII_FILE_H_INCLUDED_
#define _NGX_TORII_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "torii.h"


#define NGX_TORII_FILE_MAX    (64 * 1024 * 1024)  /* bytes of one that is
                                                     read */
#define NGX_TORII_FILE_DEPTH  4              /* of folders below dir */


/*
 * dir/name, of mode 0600 in folders of mode 0700, which are made.  name has no
 * ".." and no leading "/".  With sync it is on the disk when this returns.
 * NGX_ERROR (logged): what was there before is still there.
 */
ngx_int_t ngx_torii_file_write(ngx_str_t *dir, torii_str_t name,
    torii_str_t data, ngx_uint_t sync, ngx_log_t *log);

/* It may be gone already. */
ngx_int_t ngx_torii_file_remove(ngx_str_t *dir, torii_str_t name,
    ngx_log_t *log);

/* Its bytes; an empty string: it is not there, or cannot be read. */
torii_str_t ngx_torii_file_get(ngx_str_t *dir, torii_str_t name,
    torii_arena_t *arena);

/*
 * Call visit() for each file below dir whose name does not end in ".tmp"; data
 * lives until it returns.  What cannot be read is logged and passed over.
 */
typedef void (*ngx_torii_file_pt)(void *ctx, torii_str_t name,
    torii_str_t data);

void ngx_torii_file_each(ngx_str_t *dir, ngx_torii_file_pt visit, void *ctx,
    ngx_log_t *log);


#endif /* _NGX_TORII_FILE_H_INCLUDED_ */
