// SPDX-License-Identifier: BSD-2-Clause
/* Tables are byte strings until a check says otherwise; fields are read unaligned. */
#include "acpi.h"

#include "base/print.h"
#include "boot/early_memory.h"

struct acpi_info acpi_info;

struct rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t bytes;
    uint64_t xsdt;
    uint32_t checksum_all;
} __attribute__((packed));
#define RSDP_FIRST_BYTES 20 /* of revision 0 */

struct table {
    char signature[4];
    uint32_t bytes;
    uint8_t revision, checksum;
    char oem[18];
    uint32_t creator, creator_revision;
} __attribute__((packed));
#define TABLE_HEADER_BYTES 36
COMPILE_ASSERT(sizeof(struct rsdp) == 36 && sizeof(struct table) == TABLE_HEADER_BYTES,
               acpi_sizes);
#define TABLE_BYTES_MAX    0x1000000

enum madt_entry {
    MADT_LOCAL_APIC = 0,
    MADT_IO_APIC = 1,
    MADT_OVERRIDE = 2,
    MADT_LOCAL_APIC_ADDRESS = 5,
    MADT_LOCAL_X2APIC = 9,
};
#define MADT_ENABLED        1u
#define MADT_ENTRIES_OFFSET 44
#define MADT_ADDRESS_OFFSET 36
#define FADT_DSDT           40
#define FADT_PM1A_CONTROL   64
#define FADT_PM1B_CONTROL   68
#define FADT_PM_TIMER       76
#define FADT_X_DSDT         140
#define POLARITY_LOW        3u
#define TRIGGER_LEVEL       3u
#define BIOS_AREA_START     0xe0000u
#define BIOS_AREA_END       0x100000u

/* `bytes` of firmware memory at `address`, or NULL if they are out of reach. */
static const void *view(uint64_t address, uint64_t bytes)
{
    if (address == 0 || address >= BOOT_EARLY_MAP_END || bytes > BOOT_EARLY_MAP_END - address)
        return NULL;
    return early_pointer(address);
}

static uint64_t read_field(const void *from, unsigned bytes)
{
    const uint8_t *byte = from;
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)byte[i] << (8 * i);
    return value;
}

static bool checksum_is_right(const void *from, uint64_t bytes)
{
    const uint8_t *byte = from;
    uint8_t sum = 0;
    for (uint64_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + byte[i]);
    return sum == 0;
}

static bool signature_is(const void *table, const char *signature, unsigned length)
{
    return __builtin_memcmp(table, signature, length) == 0;
}

/* A whole, right table, or NULL. */
static const struct table *table_at(uint64_t address)
{
    const struct table *table = view(address, TABLE_HEADER_BYTES);
    if (table == NULL)
        return NULL;
    uint64_t bytes = read_field(&table->bytes, 4);
    if (bytes < TABLE_HEADER_BYTES || bytes > TABLE_BYTES_MAX || view(address, bytes) == NULL ||
        !checksum_is_right(table, bytes)) {
        print("acpi: table %.4s at 0x%lx is broken; left out\n", table->signature, address);
        return NULL;
    }
    return table;
}

static const struct rsdp *rsdp_at(uint64_t address)
{
    const struct rsdp *rsdp = view(address, sizeof(*rsdp));
    if (rsdp == NULL || !signature_is(rsdp->signature, "RSD PTR ", 8) ||
        !checksum_is_right(rsdp, RSDP_FIRST_BYTES))
        return NULL;
    return rsdp;
}

static const struct rsdp *rsdp_find(const struct boot_info *boot)
{
    const struct rsdp *rsdp = rsdp_at(boot->rsdp);
    for (uint64_t at = BIOS_AREA_START; rsdp == NULL && at < BIOS_AREA_END; at += 16)
        rsdp = rsdp_at(at);
    return rsdp;
}

/* First table with the signature that the root table names. */
static const struct table *table_find(const struct rsdp *rsdp, const char *signature)
{
    bool wide = rsdp->revision >= 2 && rsdp->xsdt != 0;
    unsigned width = wide ? 8 : 4;
    const struct table *root = table_at(wide ? rsdp->xsdt : rsdp->rsdt);
    if (root == NULL)
        return NULL;
    const uint8_t *entry = (const uint8_t *)root + TABLE_HEADER_BYTES;
    const uint8_t *end = (const uint8_t *)root + root->bytes;
    for (; entry + width <= end; entry += width) {
        uint64_t address = read_field(entry, width);
        const struct table *table = view(address, TABLE_HEADER_BYTES);
        if (table != NULL && signature_is(table->signature, signature, 4))
            return table_at(address);
    }
    return NULL;
}

static void add_processor(uint32_t apic_id, uint32_t flags, bool reachable)
{
    if ((flags & MADT_ENABLED) == 0)
        return;
    if (!reachable || acpi_info.processor_count == CPU_MAX)
        acpi_info.processors_left_out++;
    else
        acpi_info.apic_ids[acpi_info.processor_count++] = apic_id;
}

static void add_io_apic(phys_addr_t address, uint32_t first_gsi)
{
    if (acpi_info.io_apic_count == ACPI_IO_APICS_MAX)
        print("acpi: IO APIC at 0x%lx is one too many; left out\n", address);
    else
        acpi_info.io_apics[acpi_info.io_apic_count++] = (struct acpi_io_apic){address, first_gsi};
}

static void override_line(unsigned irq, uint32_t gsi, unsigned flags)
{
    if (irq >= ISA_IRQS)
        return;
    acpi_info.isa[irq] = (struct acpi_line){
        .gsi = gsi,
        .active_low = (flags & 3) == POLARITY_LOW,
        .level = (flags >> 2 & 3) == TRIGGER_LEVEL,
    };
}

static void read_madt_entry(const uint8_t *entry, unsigned bytes)
{
    unsigned kind = entry[0];
    if (kind == MADT_LOCAL_APIC && bytes >= 8)
        add_processor(entry[3], (uint32_t)read_field(entry + 4, 4), true);
    else if (kind == MADT_LOCAL_X2APIC && bytes >= 16)
        add_processor(0, (uint32_t)read_field(entry + 8, 4), false);
    else if (kind == MADT_IO_APIC && bytes >= 12)
        add_io_apic(read_field(entry + 4, 4), (uint32_t)read_field(entry + 8, 4));
    else if (kind == MADT_OVERRIDE && bytes >= 10)
        override_line(entry[3], (uint32_t)read_field(entry + 4, 4),
                      (unsigned)read_field(entry + 8, 2));
    else if (kind == MADT_LOCAL_APIC_ADDRESS && bytes >= 12)
        acpi_info.local_apic = read_field(entry + 4, 8);
}

static void read_madt(const struct table *madt)
{
    const uint8_t *start = (const uint8_t *)madt, *end = start + madt->bytes;
    if (madt->bytes < MADT_ENTRIES_OFFSET)
        return;
    acpi_info.local_apic = read_field(start + MADT_ADDRESS_OFFSET, 4);
    const uint8_t *entry = start + MADT_ENTRIES_OFFSET;
    while (end - entry >= 2 && entry[1] >= 2 && entry[1] <= end - entry) {
        read_madt_entry(entry, entry[1]);
        entry += entry[1];
    }
}

/* One AML byte constant.  Gives: bytes used, 0 if it is something else. */
static unsigned read_aml_byte(const uint8_t *at, const uint8_t *end, uint8_t *value)
{
    if (at < end && *at <= 1) { /* ZeroOp, OneOp */
        *value = *at;
        return 1;
    }
    if (end - at >= 2 && *at == 0x0a) { /* BytePrefix */
        *value = at[1];
        return 2;
    }
    return 0;
}

/* \_S5_ is a Package of constants: found by its name, without reading AML around it. */
static bool read_sleep_package(const uint8_t *at, const uint8_t *end)
{
    uint8_t a, b;
    if (end - at < 4 || *at++ != 0x12) /* PackageOp */
        return false;
    at += 1 + (*at >> 6); /* its length in one to four bytes */
    if (at >= end || *at++ < 2)
        return false;
    unsigned used = read_aml_byte(at, end, &a);
    if (used == 0 || read_aml_byte(at + used, end, &b) == 0)
        return false;
    acpi_info.sleep_type_a = a;
    acpi_info.sleep_type_b = b;
    return true;
}

static void read_dsdt(const struct table *dsdt)
{
    const uint8_t *at = (const uint8_t *)dsdt + TABLE_HEADER_BYTES;
    const uint8_t *end = (const uint8_t *)dsdt + dsdt->bytes;
    for (; end - at > 4 && !acpi_info.can_sleep; at++) {
        if (signature_is(at, "_S5_", 4))
            acpi_info.can_sleep = read_sleep_package(at + 4, end);
    }
}

static void read_fadt(const struct table *fadt)
{
    const uint8_t *start = (const uint8_t *)fadt;
    if (fadt->bytes < FADT_PM_TIMER + 4)
        return;
    acpi_info.pm1a_port = (uint16_t)read_field(start + FADT_PM1A_CONTROL, 4);
    acpi_info.pm1b_port = (uint16_t)read_field(start + FADT_PM1B_CONTROL, 4);
    acpi_info.pm_timer_port = (uint16_t)read_field(start + FADT_PM_TIMER, 4);
    uint64_t dsdt_address = read_field(start + FADT_DSDT, 4);
    if (fadt->bytes >= FADT_X_DSDT + 8 && read_field(start + FADT_X_DSDT, 8) != 0)
        dsdt_address = read_field(start + FADT_X_DSDT, 8);
    const struct table *dsdt = table_at(dsdt_address);
    if (dsdt != NULL)
        read_dsdt(dsdt);
}

void acpi_read(const struct boot_info *boot)
{
    for (unsigned irq = 0; irq < ISA_IRQS; irq++)
        acpi_info.isa[irq].gsi = irq;
    const struct rsdp *rsdp = rsdp_find(boot);
    if (rsdp == NULL) {
        print("acpi: no tables; one CPU, no console input\n");
        return;
    }
    const struct table *madt = table_find(rsdp, "APIC"), *fadt = table_find(rsdp, "FACP");
    if (madt == NULL)
        print("acpi: no APIC table; one CPU, no console input\n");
    else
        read_madt(madt);
    if (fadt != NULL)
        read_fadt(fadt);
    if (acpi_info.processors_left_out > 0)
        print("acpi: %u processors left out: at most %u, without x2APIC ids\n",
              acpi_info.processors_left_out, CPU_MAX);
}
