# SPDX-License-Identifier: BSD-2-Clause
"""Fault sites are found in the text, and none stays unnamed."""
import os
import shutil
import tempfile
import unittest

import fault_sites

LISTS = ("core/fault_point.h", "core/fault_calls.h", "core/space_priv.h", "abi/status.h")
CODE = """
/* frame_take_anon(cpu) in a comment; "ledger_reserve(" in a text */
bool id_pool_take(struct core_cpu *cpu)
{
    return ledger_reserve(cpu, 1); /* inside a primitive: no site */
}

status_t first(struct core_cpu *cpu)
{
    status_t status = ledger_reserve(cpu, ledger,
                                     CAD_RESOURCE_METADATA, 1);
    if (status == CAD_OK)
        status = ledger_reserve(cpu, ledger, CAD_RESOURCE_SLOTS, 1);
    return status;
}

frame_no_t second(struct core_cpu *cpu)
{
    return FAULT_POINT(cpu, block_take, CAD_PRESSURE)
               ? FRAME_NONE : cpu->host.block_take(cpu, 0);
}
"""
SITES = ["core/a.c first ledger_reserve 1", "core/a.c first ledger_reserve 2",
         "core/a.c second block_take 1"]


class FaultSitesTest(unittest.TestCase):
    def setUp(self):
        self.home = os.getcwd()
        self.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        for path in LISTS:
            target = os.path.join(self.folder.name, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(path, target)
        os.chdir(self.folder.name)
        os.mkdir("test")
        self.write("core/a.c", CODE)
        self.write(fault_sites.UNREACHED, "")
        self.write(fault_sites.RECORD, "".join(f"{site} | PRESSURE | host\n" for site in SITES))

    def tearDown(self):
        os.chdir(self.home)
        self.folder.cleanup()

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_sites_are_found_with_their_number(self):
        self.assertEqual([fault_sites.site_text(item.site) for item in fault_sites.find()], SITES)
        self.assertEqual(fault_sites.faults(), [])

    def test_a_site_without_record_or_reason_is_a_fault(self):
        self.write(fault_sites.RECORD, "".join(f"{site} | X | host\n" for site in SITES[:2]))
        self.assertRegex(fault_sites.faults()[0], "second block_take 1: .* no test reached")
        self.write(fault_sites.UNREACHED, f'["{SITES[2]}"]\nwhy = "because"\n')
        self.assertEqual(fault_sites.faults(), [])

    def test_a_record_of_what_is_gone_is_a_fault(self):
        self.write("core/a.c", CODE.replace("second(", "third("))
        self.assertEqual(len(fault_sites.faults()), 2)

    def test_a_call_without_its_point_is_a_fault(self):
        self.write("core/a.c", CODE.replace("FAULT_POINT(cpu, block_take, CAD_PRESSURE)", "no"))
        self.assertRegex(fault_sites.faults()[0], "no fault point is passed there")

    def test_a_failure_that_ends_the_machine_is_for_boot_alone(self):
        self.write("core/a.c", CODE.replace("return FAULT_POINT", "return CHECK(1), FAULT_POINT"))
        self.assertRegex(fault_sites.faults()[0], "ends the machine")

    def test_logs_name_sites_by_the_lines_of_their_call(self):
        self.write("log", "fault site core/a.c:11 first ledger_reserve 23\r\n"
                          "fault site core/a.c:13 first ledger_reserve QUOTA_SLOTS\n")
        rows = fault_sites.log_read("log", fault_sites.find())
        self.assertEqual({fault_sites.site_text(site): names for site, names in rows.items()},
                         {SITES[0]: {"QUOTA_METADATA"}, SITES[1]: {"QUOTA_SLOTS"}})
        self.write("log", "fault site core/a.c:9 first ledger_reserve 23\n")
        with self.assertRaisesRegex(fault_sites.SitesError, "no such fault site"):
            fault_sites.log_read("log", fault_sites.find())


if __name__ == "__main__":
    unittest.main()
