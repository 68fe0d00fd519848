import Testing
import Text

struct ByteSizeTests {
  @Test(
    arguments: [
      ("4096", 4096), ("10G", 10 << 30), ("512M", 512 << 20), ("1.5K", 1536), ("2 TiB", 2 << 40), ("1gb", 1 << 30),
      ("0", 0),
    ] as [(String, UInt64)])
  func sizesAreReadAsPeopleWriteThem(_ text: String, _ bytes: UInt64) { #expect(parsedByteSize(text) == bytes) }

  @Test(arguments: ["", "G", "-1G", "10 X", "1e9", "1..5G", ".5G", "5.", "9999999999P", "10G of it", "٣G"])
  func anythingElseIsNone(_ text: String) { #expect(parsedByteSize(text) == nil) }

  @Test func sizesAreShownInTheLargestUnitThatFits() {
    #expect(byteSize(512) == "512 bytes")
    #expect(byteSize(1536) == "1.5 KiB")
    #expect(byteSize(10 << 30) == "10.0 GiB")
  }
}
