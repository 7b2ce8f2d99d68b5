# SPDX-License-Identifier: BSD-2-Clause
"""The boot archive is a tar that others read, with contents on page borders."""
import io
import os
import subprocess
import tarfile
import tempfile
import unittest

import mkarchive

FILES = {"rt": (b"r" * 5000, 0o755), "bin/shell": (b"s" * 4096, 0o755),
         "etc/empty": (b"", 0o644), "etc/manifest": (b"m\n", 0o644),
         "a/" + "n" * 98: (b"x" * 512, 0o644)}


class ArchiveTest(unittest.TestCase):
    def test_contents_start_on_page_borders_and_are_whole(self):
        data = mkarchive.make(FILES)
        self.assertEqual(len(data) % mkarchive.PAGE, 0)
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            members = {m.name: m for m in tar.getmembers()}
            self.assertEqual(sorted(members), sorted(FILES))
            for name, (content, mode) in FILES.items():
                self.assertEqual(members[name].offset_data % mkarchive.PAGE, 0, name)
                self.assertEqual(tar.extractfile(members[name]).read(), content)
                self.assertEqual(members[name].mode, mode)

    def test_every_count_of_blocks_before_a_file_is_padded_right(self):
        for blocks in range(20):
            data = mkarchive.make({"a": (b"x" * (blocks * 512), 0o644), "b": (b"y" * 9, 0o644)})
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                self.assertEqual(tar.getmember("b").offset_data % mkarchive.PAGE, 0)
                self.assertEqual(tar.extractfile("b").read(), b"y" * 9)

    def test_system_tar_lists_it_without_complaint(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.tar")
            with open(path, "wb") as file:
                file.write(mkarchive.make(FILES))
            result = subprocess.run(["tar", "tf", path], capture_output=True, text=True,
                                    check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout.split(), sorted(FILES))

    def test_same_input_gives_same_bytes(self):
        backwards = dict(reversed(list(FILES.items())))
        self.assertEqual(mkarchive.make(FILES), mkarchive.make(backwards))

    def test_an_empty_archive_is_one(self):
        with tarfile.open(fileobj=io.BytesIO(mkarchive.make({}))) as tar:
            self.assertEqual(tar.getnames(), [])

    def test_bad_names_are_refused(self):
        for name in ("", "/abs", "a/../b", "a//b", "with blank", "n" * 101, "uml\u00e4ut"):
            with self.assertRaises(mkarchive.ArchiveError, msg=name):
                mkarchive.make({name: (b"", 0o644)})

    def test_a_missing_file_and_a_name_twice_are_named(self):
        with self.assertRaisesRegex(mkarchive.ArchiveError, "/nowhere/x: No such file"):
            mkarchive.read(["bin/x=/nowhere/x"])
        with self.assertRaisesRegex(mkarchive.ArchiveError, "bin/x: given twice"):
            mkarchive.read(["bin/x=" + __file__, "bin/x=" + __file__])


if __name__ == "__main__":
    unittest.main()
