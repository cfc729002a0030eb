from amarktai.cli import main

main()
