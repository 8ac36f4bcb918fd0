# keep ^umem (findleaks|status) --|^Usage|  -|Findings|Print data
help umem
help umem findleaks
help umalog
help whatis
show umem exit-code
umem
