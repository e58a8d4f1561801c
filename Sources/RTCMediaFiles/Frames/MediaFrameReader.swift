public import RTCRTP

/// Reads the encoded frames of a file with one track, in order.
///
/// Readers block while they read, and are not for use by two tasks at a time. ``MediaFile/open(path:options:)`` finds the one
/// for a file.
public protocol MediaFrameReader: AnyObject {
    /// How the frames are encoded.
    var format: PayloadFormat { get }

    /// The next frame; `nil` at the end, and where a file that was cut off has no more whole frames.
    ///
    /// - Throws: What is wrong with the file, and where. The reader gives no more frames then, except after ``rewind()``.
    func nextFrame() throws(MediaFileError) -> MediaFileFrame?

    /// Begins again with the first frame, at time zero.
    ///
    /// - Throws: ``MediaFileError/Code/inputOutput`` where that is not possible, such as for a pipe.
    func rewind() throws(MediaFileError)
}
