// usrsctp for Swift: its header, and functions for the macros that do not import.
#ifndef CRTC_USRSCTP_SHIM_H
#define CRTC_USRSCTP_SHIM_H

#include <usrsctp.h>

#endif
