
/*
 * SOA records: a zone's version.
 */

#include "dnssync_rdata.h"


#define DNSSYNC_SOA_NUMBERS  20        /* bytes: serial, refresh, ... */


int
dnssync_soa_read(torii_buf_t *b, const dnssync_reader_t *r,
    const dnssync_record_t *record, uint32_t *serial)
{
    unsigned          i;
    torii_str_t       numbers;
    dnssync_name_t    name;
    dnssync_reader_t  in;

    in = dnssync_read_inside(r, record);

    for (i = 0; i < 2; i++) {
        dnssync_read_name(&in, &name);
        dnssync_write_name(b, &name);
    }

    numbers = dnssync_read_bytes(&in, DNSSYNC_SOA_NUMBERS);

    if (in.failed || in.p != in.last) {
        return TORII_ERROR;
    }

    torii_buf_add_str(b, numbers);

    in = dnssync_reader(numbers);
    *serial = dnssync_read_u32(&in);

    return TORII_OK;
}


int
dnssync_serial_after(uint32_t a, uint32_t b)
{
    return a != b && (uint32_t) (a - b) < 0x80000000u;
}
