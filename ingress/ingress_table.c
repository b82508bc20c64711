
/*
 * Reading a routing table: everything is checked once, when it is opened, so
 * that a lookup is nothing but loads and compares.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ingress_table_ref.h"


typedef struct {
    uint32_t     size;         /* of a record */
    uint32_t     field;        /* of ingress_table_t, which points to it */
} ingress_table_section_t;


static int ingress_table_check_header(const ingress_table_header_t *h,
    size_t size, char error[128]);
static int ingress_table_check_sections(ingress_table_t *t);


#define ingress_table_section(type, field)                                    \
    { sizeof(type), offsetof(ingress_table_t, field) }

static const ingress_table_section_t
    ingress_table_sections[INGRESS_SECTION_MAX] =
{
    ingress_table_section(uint32_t, buckets),
    ingress_table_section(ingress_table_name_t, names),
    ingress_table_section(ingress_table_alias_t, aliases),
    ingress_table_section(ingress_table_host_t, hosts),
    ingress_table_section(ingress_table_path_t, paths),
    ingress_table_section(ingress_table_route_t, routes),
    ingress_table_section(ingress_policy_t, policies),
    ingress_table_section(ingress_table_ingress_t, ingresses),
    ingress_table_section(ingress_table_backend_t, backends),
    ingress_table_section(ingress_table_endpoint_t, endpoints),
    ingress_table_section(ingress_table_cert_t, certs),
    ingress_table_section(ingress_table_tls_t, tls),
    ingress_table_section(ingress_table_challenge_t, challenges_http),
    ingress_table_section(ingress_table_challenge_t, challenges_alpn),
    ingress_table_section(ingress_table_provider_t, providers),
    ingress_table_section(ingress_table_login_t, logins),
    ingress_table_section(ingress_table_users_t, users),
    ingress_table_section(unsigned char, pool)
};


int
ingress_table_open(ingress_table_t *t, const char *path, char error[128])
{
    int          fd;
    void        *map;
    struct stat  st;

    memset(t, 0, sizeof(ingress_table_t));

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd == -1) {
        snprintf(error, 128, "it cannot be opened: %s", strerror(errno));
        return TORII_ERROR;
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        snprintf(error, 128, "it is not a file");
        close(fd);
        return TORII_ERROR;
    }

    if (st.st_size < (off_t) sizeof(ingress_table_header_t)) {
        snprintf(error, 128, "it is too short to be a routing table: %lld "
                 "bytes", (long long) st.st_size);
        close(fd);
        return TORII_ERROR;
    }

    /* all pages are read at once for the checksum anyway */

    map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);

    close(fd);

    if (map == MAP_FAILED) {
        snprintf(error, 128, "it cannot be mapped: %s", strerror(errno));
        return TORII_ERROR;
    }

    if (ingress_table_check(t, map, st.st_size, error) != TORII_OK) {
        munmap(map, st.st_size);
        memset(t, 0, sizeof(ingress_table_t));
        return TORII_ERROR;
    }

    return TORII_OK;
}


void
ingress_table_close(ingress_table_t *t)
{
    if (t->map) {
        munmap((void *) t->map, t->size);
    }

    memset(t, 0, sizeof(ingress_table_t));
}


torii_str_t
ingress_table_str(const ingress_table_t *t, ingress_ref_t ref)
{
    torii_str_t  s;

    s.len = ref.len;
    s.data = ref.len ? (unsigned char *) t->pool + ref.off
                     : (unsigned char *) "";

    return s;
}


int
ingress_table_check(ingress_table_t *t, const void *data, size_t size,
    char error[128])
{
    const char  *what;

    memset(t, 0, sizeof(ingress_table_t));

    if ((uintptr_t) data % INGRESS_TABLE_ALIGN) {
        snprintf(error, 128, "its bytes are not aligned in memory");
        return TORII_ERROR;
    }

    if (ingress_table_check_header(data, size, error) != TORII_OK) {
        return TORII_ERROR;
    }

    t->map = data;
    t->size = size;
    t->header = data;

    if (ingress_table_check_sections(t) != TORII_OK) {
        snprintf(error, 128, "it is damaged: a section is out of bounds");
        return TORII_ERROR;
    }

    what = ingress_table_check_records(t);

    if (what) {
        snprintf(error, 128, "it is damaged: %s", what);
        return TORII_ERROR;
    }

    return TORII_OK;
}


static int
ingress_table_check_header(const ingress_table_header_t *h, size_t size,
    char error[128])
{
    size_t  skip;

    if (size < sizeof(ingress_table_header_t)) {
        snprintf(error, 128, "it is too short to be a routing table: %zu "
                 "bytes", size);
        return TORII_ERROR;
    }

    if (h->order == __builtin_bswap32(INGRESS_TABLE_ORDER)) {
        snprintf(error, 128, "it was made on a machine of another byte order");
        return TORII_ERROR;
    }

    if (h->magic != INGRESS_TABLE_MAGIC || h->order != INGRESS_TABLE_ORDER) {
        snprintf(error, 128, "it is not a routing table");
        return TORII_ERROR;
    }

    if (h->version != INGRESS_TABLE_VERSION
        || h->header != sizeof(ingress_table_header_t))
    {
        snprintf(error, 128, "it has version %u (header of %u bytes), this "
                 "program reads version %u (%zu bytes)", h->version, h->header,
                 INGRESS_TABLE_VERSION, sizeof(ingress_table_header_t));
        return TORII_ERROR;
    }

    if (h->size != size) {
        snprintf(error, 128, "it is %s: %zu bytes instead of %llu",
                 size < h->size ? "cut short" : "too long", size,
                 (unsigned long long) h->size);
        return TORII_ERROR;
    }

    skip = offsetof(ingress_table_header_t, header);

    if (h->checksum != torii_hash((const char *) h + skip, size - skip, 0)) {
        snprintf(error, 128, "it is damaged: its checksum is wrong");
        return TORII_ERROR;
    }

    return TORII_OK;
}


static int
ingress_table_check_sections(ingress_table_t *t)
{
    uint32_t                        i;
    const void                     *p;
    const ingress_section_t        *s;
    const ingress_table_section_t  *known;

    for (i = 0; i < INGRESS_SECTION_MAX; i++) {
        s = &t->header->sections[i];
        known = &ingress_table_sections[i];

        if (s->size != known->size
            || s->off % INGRESS_TABLE_ALIGN
            || s->off < sizeof(ingress_table_header_t)
            || s->off > t->size
            || (uint64_t) s->n * s->size > t->size - s->off)
        {
            return TORII_ERROR;
        }

        p = t->map + s->off;
        memcpy((char *) t + known->field, &p, sizeof(void *));
    }

    return TORII_OK;
}
