"""How much the page takes and keeps, so that no upload can fill this machine."""

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What is refused beyond.

    Attributes:
        upload: bytes of one upload, all its files together.
        files: files of one upload; a case of LGG has up to 88 slices, and as many masks.
        voxels: of all files of one upload together, before any is decoded: packed files grow a thousandfold.
        kept: results in memory.
        seconds: after which a result nobody asks for is dropped.
        connections: at once; one more ends the one that has been silent longest.
        request: seconds until a connection has sent what comes before a body.
        receiving: uploads that are received at once, each up to `upload` on the disk; one more ends the slowest.
        silence: seconds for which a body may pause, or an answer be left unread; and for a body that brings nothing.
        rate: bytes of a body that prolong its time by a second.
        body: seconds for a whole body, however fast.
    """

    upload: int = 256 * MIB
    files: int = 1000
    voxels: int = 48_000_000
    kept: int = 3
    seconds: float = 30 * 60
    connections: int = 128
    request: float = 10
    receiving: int = 3
    silence: float = 20
    rate: float = 16 * 1024
    body: float = 10 * 60

    @property
    def in_words(self) -> str:
        """What the page says beforehand."""
        return f"up to {self.upload // MIB} MiB and {self.voxels // 1_000_000} million voxels"
