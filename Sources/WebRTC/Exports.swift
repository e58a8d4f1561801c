// One import brings all that this target's API shows: errors, states, descriptions, configuration.
@_exported public import RTCBase
@_exported public import RTCCore
@_exported public import RTCRTP
