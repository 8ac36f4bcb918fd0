/* SPDX-License-Identifier: MIT */
/*
 * note.S - the ELF note by which a debugger finds umem_root
 *
 * Owner "umem", type 1; the descriptor is the distance from itself to
 * umem_root.  It needs no relocation, no symbol table and no debug
 * information, and survives strip.  In an assembler file because gcc's link
 * time optimisation loses top-level asm statements.
 */
	.section .note.umem, "aR", @note
	.balign 4
	.long 5			/* length of the owner's name */
	.long 8			/* length of the descriptor */
	.long 1			/* UMEM_NOTE_TYPE */
	.asciz "umem"
	.balign 4
	.long umem_root - .
	.long 0
	.section .note.GNU-stack, "", @progbits
