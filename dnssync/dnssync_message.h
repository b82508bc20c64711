
/*
 * DNS messages (RFC 1035): names, a reader that remembers its first failure,
 * and writing to a buffer, without compression.
 */

#ifndef _DNSSYNC_MESSAGE_H_INCLUDED_
#define _DNSSYNC_MESSAGE_H_INCLUDED_


#include "dnssync.h"


#define DNSSYNC_HEADER       12
#define DNSSYNC_MESSAGE_MAX  65535
#define DNSSYNC_LABEL_MAX    63

#define DNSSYNC_IN           1
#define DNSSYNC_NONE         254
#define DNSSYNC_ANY          255

/* bits of the header */
#define DNSSYNC_QR           0x8000
#define DNSSYNC_AA           0x0400
#define DNSSYNC_TC           0x0200
#define DNSSYNC_OPCODE       0x7800
#define DNSSYNC_RCODE        0x000f

#define DNSSYNC_QUERY        0x0000
#define DNSSYNC_UPDATE       0x2800

#define dnssync_lower(c)                                                      \
    (unsigned char) ((c) >= 'A' && (c) <= 'Z' ? (c) | 0x20 : (c))


typedef enum {
    DNSSYNC_QUESTION = 0,      /* the zone, in an update */
    DNSSYNC_ANSWER,            /* prerequisites */
    DNSSYNC_AUTHORITY,         /* what to change */
    DNSSYNC_ADDITIONAL,
    DNSSYNC_SECTIONS
} dnssync_section_e;


/* As on the wire, in lower case, with the root's empty label at the end. */

typedef struct {
    size_t                len;
    unsigned char         data[DNSSYNC_NAME_MAX];
} dnssync_name_t;


typedef struct {
    const unsigned char  *start;     /* of the message */
    const unsigned char  *p;
    const unsigned char  *last;
    unsigned              failed:1;
} dnssync_reader_t;

typedef struct {
    unsigned              id;
    unsigned              flags;
    unsigned              counts[DNSSYNC_SECTIONS];
} dnssync_header_t;

typedef struct {
    dnssync_name_t        name;
    unsigned              type;
    unsigned              class;
    uint32_t              ttl;
    torii_str_t           data;      /* refers to the message */
    size_t                offset;    /* of the record in it */
} dnssync_record_t;


/*
 * "a.example" or "a.example."; "\." and "\046" stand for bytes that would mean
 * something else.  TORII_ERROR: no name.
 */
int dnssync_name_parse(dnssync_name_t *name, torii_str_t text);
/* Without the dot at the end; the root is ".". */
void dnssync_name_text(const dnssync_name_t *name,
    char text[DNSSYNC_TEXT_MAX]);
int dnssync_name_eq(const dnssync_name_t *a, const dnssync_name_t *b);
/* Whether name is zone or below it. */
int dnssync_name_within(const dnssync_name_t *name,
    const dnssync_name_t *zone);
/* The first label goes.  TORII_DECLINED: that was the root. */
int dnssync_name_climb(dnssync_name_t *name);


dnssync_reader_t dnssync_reader(torii_str_t message);
unsigned dnssync_read_u8(dnssync_reader_t *r);
unsigned dnssync_read_u16(dnssync_reader_t *r);
uint32_t dnssync_read_u32(dnssync_reader_t *r);
uint64_t dnssync_read_u48(dnssync_reader_t *r);
torii_str_t dnssync_read_bytes(dnssync_reader_t *r, size_t len);
void dnssync_read_name(dnssync_reader_t *r, dnssync_name_t *name);
void dnssync_read_header(dnssync_reader_t *r, dnssync_header_t *header);
void dnssync_read_question(dnssync_reader_t *r, dnssync_name_t *name,
    unsigned *type, unsigned *class);
void dnssync_read_record(dnssync_reader_t *r, dnssync_record_t *record);
/* A reader of the data of a record that r has just read. */
dnssync_reader_t dnssync_read_inside(const dnssync_reader_t *r,
    const dnssync_record_t *record);

/*
 * The records of one section, one after the other: TORII_OK, TORII_DECLINED
 * after the last, TORII_ERROR.  The walk begins with a zeroed w.
 */

typedef struct {
    dnssync_reader_t      reader;
    dnssync_header_t      header;
    unsigned              section;
    unsigned              left;      /* in the section */
    unsigned              started:1;
} dnssync_walk_t;

int dnssync_walk(dnssync_walk_t *w, torii_str_t message,
    dnssync_record_t *record);

/*
 * Whether a message is the answer to one that began like request: the same id,
 * opcode and question.  TORII_DECLINED: it is not; TORII_ERROR: malformed.
 */
int dnssync_message_answers(torii_str_t message, torii_str_t request,
    dnssync_header_t *header);

/*
 * dnssync_find.c: whether an answer is one that its server stands for, so that
 * its records may be looked at: DONE, IGNORED, TRUNCATED or FAILED with error.
 */
dnssync_step_e dnssync_final_answer(torii_str_t answer, torii_str_t request,
    char error[DNSSYNC_ERROR_MAX]);


void dnssync_write_u8(torii_buf_t *b, unsigned value);
void dnssync_write_u16(torii_buf_t *b, unsigned value);
void dnssync_write_u32(torii_buf_t *b, uint32_t value);
void dnssync_write_u48(torii_buf_t *b, uint64_t value);
void dnssync_write_name(torii_buf_t *b, const dnssync_name_t *name);
/* The message begins where b does; sections are written in their order. */
void dnssync_write_header(torii_buf_t *b, unsigned id, unsigned flags);
void dnssync_write_question(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type);
void dnssync_write_record(torii_buf_t *b, dnssync_section_e section,
    const dnssync_name_t *name, unsigned type, unsigned class, uint32_t ttl,
    torii_str_t data);
/* The data of a TXT record: strings of up to 255 bytes. */
void dnssync_write_txt(torii_buf_t *b, torii_str_t value);
/* Whether its strings, joined, are the value. */
int dnssync_txt_equal(torii_str_t data, torii_str_t value);


#endif /* _DNSSYNC_MESSAGE_H_INCLUDED_ */
