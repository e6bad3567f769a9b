/* A reader whose cable comes loose: vpcd's driver with one slot, silent while the file "unplugged" lies beside this library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <ifdhandler.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int unplugged(void)
{
	Dl_info here;
	char folder[512], file[600];

	dladdr((void *)unplugged, &here);
	strncpy(folder, here.dli_fname, sizeof folder - 1);
	folder[sizeof folder - 1] = 0;
	snprintf(file, sizeof file, "%s/unplugged", dirname(folder));
	return access(file, F_OK) == 0;
}

static void *behind(const char *name)
{
	static void *driver;

	if (!driver)
		driver = dlopen(DRIVER, RTLD_NOW | RTLD_LOCAL);
	return dlsym(driver, name);
}

#define PASS_ON(NAME, TYPES, VALUES)                                                  \
	RESPONSECODE NAME TYPES                                                       \
	{                                                                             \
		if (unplugged())                                                      \
			return IFD_COMMUNICATION_ERROR;                               \
		return ((RESPONSECODE(*) TYPES)behind(#NAME))VALUES;                  \
	}

PASS_ON(IFDHCreateChannel, (DWORD lun, DWORD channel), (lun, channel))
PASS_ON(IFDHCreateChannelByName, (DWORD lun, LPSTR name), (lun, name))
PASS_ON(IFDHCloseChannel, (DWORD lun), (lun))
PASS_ON(IFDHSetCapabilities, (DWORD lun, DWORD tag, DWORD length, PUCHAR value), (lun, tag, length, value))
PASS_ON(IFDHSetProtocolParameters, (DWORD lun, DWORD protocol, UCHAR flags, UCHAR one, UCHAR two, UCHAR three),
	(lun, protocol, flags, one, two, three))
PASS_ON(IFDHPowerICC, (DWORD lun, DWORD action, PUCHAR atr, PDWORD length), (lun, action, atr, length))
PASS_ON(IFDHTransmitToICC,
	(DWORD lun, SCARD_IO_HEADER send, PUCHAR out, DWORD out_length, PUCHAR in, PDWORD in_length, PSCARD_IO_HEADER recv),
	(lun, send, out, out_length, in, in_length, recv))
PASS_ON(IFDHControl,
	(DWORD lun, DWORD code, PUCHAR out, DWORD out_length, PUCHAR in, DWORD in_length, LPDWORD returned),
	(lun, code, out, out_length, in, in_length, returned))
PASS_ON(IFDHICCPresence, (DWORD lun), (lun))

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value)
{
	if (tag == TAG_IFD_SLOTS_NUMBER) {
		*value = 1;
		*length = 1;
		return IFD_SUCCESS;
	}
	return ((RESPONSECODE(*)(DWORD, DWORD, PDWORD, PUCHAR))behind("IFDHGetCapabilities"))(lun, tag, length, value);
}
