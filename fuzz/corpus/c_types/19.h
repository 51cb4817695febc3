#pragma pack(push, 1)
struct pragma_packed { char a; int b; long c; };
#pragma pack(pop)
struct after_pack { char a; int b; };
