"""The comments of a file of the contract, which say in every document what its parts are."""

from google.protobuf import descriptor_pb2


class Comments:
    """The comments of a file, by the address of what they stand above."""

    def __init__(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        self._texts = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}

    def at(self, *address: int) -> str:
        """The comment above what has this address in the file; empty when there is none."""
        text = self._texts.get(address, "")
        return "\n".join(line.strip() for line in text.strip().splitlines())
