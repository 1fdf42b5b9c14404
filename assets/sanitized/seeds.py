"""Seed words of the lexicon: some hundreds of examples a class, from which the word vectors generalise.

The lists are examples, not dictionaries: ``Lexicon`` fits a classifier on their vectors and so knows hundreds of
thousands of words. ``ORDINARY`` is also used as it stands, for the words of everyday chat.
"""

GIVEN = """
james mary robert patricia john jennifer michael linda david elizabeth william barbara richard susan joseph jessica
thomas sarah charles karen christopher nancy daniel lisa matthew betty anthony helen mark sandra steven ashley
andrew kimberly kenneth emily george donna kevin michelle brian carol edward amanda ronald melissa timothy deborah
jason rebecca jeffrey laura ryan cynthia jacob kathleen gary amy nicholas shirley eric angela jonathan anna stephen
ruth larry brenda justin pamela scott nicole brandon katherine benjamin samantha samuel christine gregory emma frank
catherine alexander virginia raymond rachel patrick carolyn jack janet dennis maria jerry heather tyler diane aaron
julie jose joyce adam victoria henry kelly nathan christina douglas lauren zachary joan peter evelyn kyle olivia
walter judith ethan megan jeremy cheryl harold andrea keith hannah christian martha roger jacqueline noah frances
gerald gloria terry ann sean teresa austin kathryn arthur sara lawrence janice jesse alice jordan bryan billy joe
bruce julia albert gabriel logan alan juan wayne roy ralph randy eugene vincent russell louis bobby philip johnny
mohammed ahmed ali hassan hussein fatima aisha omar ibrahim yusuf khalid layla zainab mustafa abdullah tariq raj
priya amit sunita rahul anil vijay suresh ramesh deepak sanjay pooja neha arjun kavita ravi krishna lakshmi ganesh
anand kiran manoj rajesh mahesh dinesh karthik venkat srinivas meena anita divya swathi kumar arun ashok prakash
mohan wei ming li chen hiroshi yuki kenji akira sakura takashi haruto yoko naoko jin hyun minho seojun carlos miguel
luis javier pedro sofia lucia diego fernando alejandro rafael sergio pablo andres ricardo camila isabella pierre
jean francois marie claire luc camille antoine sylvie thierry nathalie celine hans klaus jurgen heike ingrid
wolfgang stefan sabine petra dieter matthias friedrich greta giovanni giulia marco francesca luca chiara alessandro
paolo ivan olga dmitri natasha sergei tatiana vladimir anastasia boris svetlana igor yelena mikhail lars sven astrid
bjorn freya magnus erik sigrid kwame amara chidi ngozi oluwaseun thabo zanele zeynep mehmet elif emre ayse tomas
jakub katarzyna piotr agnieszka zoltan istvan sathish dheepan muthu vinoth prabhu senthil selvam murugan kannan
balaji gopal hari shiva vishnu ashwin naveen praveen rohit rohan aditya abhishek nikhil sandeep vikram varun gaurav
harish girish mukesh naresh jagan sudha latha geetha revathi malini shanthi nithya priyanka swapna sangeetha deepika
shreya aishwarya bhavna rekha usha jaya radha meera aditi ishaan yash sai tejas khadija bilal imran irfan salman
farhan asif nadia sana rania leila samira karim rashid chloe zoe mia ava ella isla freddie alfie archie oscar leo
theo finn niamh siobhan aoife rhys dylan cameron riley casey taylor morgan jamie drew lindsay robin charlie spencer
rory kim
margaret dorothy doris irene marjorie eleanor lillian edith agnes hazel gladys lucille thelma josephine bernice
mildred beatrice harriet phyllis maureen eileen noreen colleen bridget deirdre fiona morag catriona alistair hamish
angus duncan malcolm fergus declan brendan cormac eoin padraig seamus gareth huw gwen bronwen carys nigel clive trevor
graeme neil barry terence desmond leonard stanley cecil norman herbert walt theodore clarence marvin leroy alvin
melvin curtis darnell tyrone jermaine deshawn malik lamar andre marcus isaiah elijah caleb joshua gideon ezra levi
micah silas jonah tobias julian adrian damian fabian dominic sebastian valentin maxim felix hugo oliver harvey louie
jasper rupert giles piers imogen matilda beatrix florence clara nora maeve esme phoebe penelope daphne xanthe ariadne
eleni dimitra kostas yannis giorgos nikos stavros spyros vasilis katerina anton arkady fyodor gennady grigory
konstantin leonid nikita oleg pavel ruslan stanislav timur vadim valery vitaly vyacheslav yuri zhanna alina daria
ekaterina galina irina ksenia larisa lyudmila marina nadezhda oksana polina raisa tamara valentina vera yulia bogdan
taras mykola oleksandr andriy solomiya hanna kateryna jerzy wojciech tomasz marcin pawel krzysztof grzegorz zbigniew
stanislaw malgorzata joanna ewa monika jiri pavla vaclav zdenek jaroslav lenka martina ondrej mateja miha luka nejc
ivana dragan zoran goran milan slobodan mirjana jelena milica vesna snezana borislav todor georgi plamen ivaylo radka
ionut mihai andrei florin cristian elena ioana raluca gheorghe laszlo sandor ferenc gabor attila eszter katalin ildiko
zsuzsa matti jukka pekka antti heikki kari tuula ritva paivi johanna sanna anneli henrik jesper rasmus soren mette
lise kirsten birgit torben kjell ole knut trond ragnhild solveig turid hakon leif gunnar olof gustav birgitta kerstin
lena gunilla annika malin elin linnea joost pieter willem hendrik maarten jeroen sanne femke anouk lotte bart koen
thijs margriet cornelia ruben thibault guillaume olivier benoit laurent philippe sebastien mathieu julien maxime
romain quentin florent aurelie elodie amelie manon margaux oceane noemie helene genevieve odile brigitte giuseppe
antonio salvatore vincenzo domenico raffaele gennaro federico matteo lorenzo davide stefano roberto elisabetta valeria
federica silvia paola daniela simona ilaria ginevra alberto enrique jorge manuel ramon raul salvador santiago vicente
ximena lourdes guadalupe esperanza pilar beatriz carmen catalina marisol paloma rocio yolanda mariana juliana joao
paulo tiago thiago rodrigo gustavo leandro marcelo fabio luiz renata fernanda leticia larissa adriana raimundo ahmad
mahmoud abdul abdallah hamza idris ismail jamal kamal marwan nabil nasser osama rami saad samir tarek walid yasin zaid
amina asma dina farida habiba hanan huda khadijah latifa maryam nour rabia rasha salma samar yasmin zahra reza mehdi
hossein amir farhad behnam shirin nasrin parisa leyla murat hakan serkan emine fatma hatice selin aarav akash alok
amitabh anirudh anjali ankit ankita anupam anusha arvind ashish bharat bhaskar chetan devika dhruv esha gayathri
gayatri geeta gopi govind hemant indira ishita jayant jyoti kalpana kamala karan keerthi kishore komal lalitha lata
madhavi madhu mahalakshmi malathi mangesh manish meenakshi mitali mohit monica mridula mythili nagaraj nalini namrata
nandini narendra neelam neeraj niharika nirmala padma pallavi parvathi pavithra poornima prabha prachi pradeep prasad
prashant pratik pratibha preethi prerna punita purnima raghav raghu rajeev rajendra rajini raman ramya ranjith rashmi
renuka ritu rohini roopa rupali sachin saanvi sampath sandhya sanjana santosh sarita saroja satish savita seema
shailaja shalini shankar sharmila shashi sheela shilpa shivani shobha shruthi shweta siddharth sindhu sivakumar smita
sneha soumya srikanth srinivasan subash subramani sudhir sujatha sukumar sumathi sundar suneel sunil supriya sushma
swati tanvi tanya thangam trisha uday umesh uma vaishnavi valli vanitha vasanth vasudha veena venkatesh vidya vijaya
vimala vinay vinod vishal yamini yogesh yuvaraj aravind dinakar elango ezhil kumaran maran nandhini oviya pandian
rajan sasikala senthilkumar tamilselvi thilak velu minh tuan anh huong thuy phuong duc quang nguyet somchai siriporn
nattapong budi agus dewi siti putri wayan joko bambang maricel jomar rodel analyn haruka yumi kazuki daiki riku sota
aoi hina mei ayumi kaori satoshi takeshi makoto hideki tomoko keiko michiko jiwoo jihoon seoyeon minjun hyejin eunji
sungmin xiaoming xiu zhen yifan zihan jianguo meiling chinedu obinna emeka nneka adaeze ifeoma tunde femi yemi folake
kofi ama akosua abena yaw kwabena wanjiru kamau njeri otieno achieng baraka neema sipho nomsa themba lerato bongani
tendai chipo tafadzwa brooklyn chelsea savannah trinity kayla brianna jasmine alexis courtney brittany tiffany stacy
tracy shannon kathy cathy cindy wendy becky peggy jill joanne diana denise tina gail rhonda paula valerie lori erica
melanie katie katy kate maggie molly lucy abby gabby natalie caitlin paige brooke sierra mackenzie kylie hailey aubrey
peyton skylar bradley craig darren dustin derek travis shane troy cody trent wesley bryce colton garrett landon tanner
wyatt preston dmitriy fyodorovich tessa heidi liesel anneliese uwe jochen holger detlef rainer horst gerhard helmut
manfred heinz lothar norbert reinhard ulrich wilfried burkhard silke anja katja tanja sonja antje ulrike renate gudrun
jimmy tommy danny timmy ricky micky vicky nicky mickey andy mandy teddy eddie freddy benny kenny lenny denny jenny
penny ronnie donnie bonnie connie minnie winnie annie jackie frankie charley harry barney rosie susie josie lizzie
debbie bobbie robbie billie ollie millie tillie nellie ellie callie hallie mattie hattie bertie dougie stevie louisa
luisa joey corey dory tony benji manny sonny lonny sammy tammy pammy kimmy gabe zach nate nick mick rick vic mike luke
jake blake seth garth beth liz meg peg greg kurt bert curt ernie ernest ralphie stan sid ned ted fred jed moe shri sri
ramu guna babu kutty mukund lenin stalin nehru gandhi swamy dev devi kumari begum bibi bano khatun lal chand singhania
sunder sunderam pichai nadella birla ambani carla marla darla carl karla klara
""".split()

FAMILY = """
smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson
taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis robinson walker allen wright
scott torres nguyen hill flores adams nelson baker campbell mitchell carter roberts gomez phillips evans turner diaz
parker cruz edwards collins reyes stewart morris morales murphy rogers gutierrez ortiz morgan cooper peterson bailey
reed kelly howard ramos kim cox richardson watson chavez wood bennett gray mendoza ruiz hughes patel alvarez
castillo sanders myers ross foster jimenez powell jenkins perry russell sullivan coleman butler henderson barnes
gonzales fisher vasquez simmons romero patterson hamilton graham reynolds singh sharma gupta khan reddy nair iyer
rao mehta kapoor malhotra chopra verma muller schmidt schneider weber meyer wagner becker hoffmann rossi ferrari
bianchi esposito ivanov petrov sokolov kowalski nowak novak horvat nagy kovacs yamamoto tanaka suzuki sato watanabe
zhang wang liu huang park choi hansen johansson andersson nielsen okafor mensah adeyemi haddad aziz rahman hussain
dubois lefebvre moreau silva santos oliveira souza ferreira costa pereira
macdonald mcdonald mccarthy mckenzie mckenna mccullough mcgregor mclean mcdowell macleod fraser sinclair drummond
buchanan galbraith fitzgerald fitzpatrick gallagher donnelly doherty oconnor oneill obrien osullivan byrne kavanagh
whelan brennan nolan pritchard llewellyn bevan gittins thorpe hawthorne ashworth entwistle winterbottom higginbotham
shufflebottom cartwright wainwright arkwright heathcote fairbanks featherstone blackwood underwood whitaker whittaker
hargreaves braithwaite crawford ferguson harrison hopkins hoffman jennings johnston kennedy lawson marshall matthews
nichols olson osborne palmer payne pearson porter quinn rhodes rivera robertson schultz simpson snyder stevens vargas
wallace walsh warren webb wheeler willis albrecht baumann bergmann brandt dietrich engel fischer fuchs gunther
hartmann heinrich herrmann huber jager kaiser keller klein kohler konig kramer krause kuhn lehmann lorenz maier
neumann peters pfeiffer richter roth sauer scholz schreiber schroder schubert schulz schwarz seidel simon stein vogel
vogt voigt weiss werner winkler wolf zimmermann ziegler bonnet bernard bertrand blanc boucher chevalier dupont durand
fontaine fournier garnier gauthier girard lambert leclerc legrand marchand mercier michel morin perrin renard rousseau
roux vidal barbieri bellini caruso colombo conti fontana galli gallo giordano greco leone lombardi longo mancini
marini mariani martini moretti neri pellegrini rinaldi ricci rizzo romano russo santoro serra valentini vitale aguilar
alonso arroyo benitez cabrera calderon campos cano carrasco castro cortes delgado dominguez duran escobar espinoza
fuentes gallego gil guerrero herrera hidalgo ibanez iglesias leon lozano marin mendez molina moya munoz navarro nieto
nunez ortega pascual prieto rojas rubio saez salazar santana serrano soto suarez trujillo valdez vega velasco almeida
alves araujo azevedo barbosa batista cardoso carvalho fernandes gomes goncalves lopes machado marques martins mendes
monteiro moreira nascimento nunes pinto ribeiro rocha rodrigues teixeira vieira bogdanov fedorov gusev kozlov
kuznetsov lebedev mikhailov morozov nikitin orlov pavlov popov romanov smirnov sokolova stepanov vasiliev volkov
yefremov zaitsev zhukov bondarenko kovalenko shevchenko tkachenko kravchenko melnyk boyko lewandowski wisniewski
wojcik kaminski zielinski szymanski wozniak dabrowski kozlowski jankowski mazur krawczyk piotrowski grabowski dvorak
svoboda novotny prochazka kucera vesely horak benes jovanovic petrovic nikolic markovic djordjevic stojanovic ilic
stankovic pavlovic milosevic babic juric knezevic kovacevic kralj popescu ionescu popa radu dumitru gheorghiu szabo
toth horvath varga kiss molnar nemeth farkas balogh papadopoulos pappas georgiou nikolaidis virtanen korhonen nieminen
makinen laine heikkinen koskinen eriksson larsson olsson persson svensson gustafsson pettersson jonsson lindberg
lindstrom lundgren bergstrom sandberg jensen christensen pedersen rasmussen sorensen jorgensen madsen kristensen olsen
larsen andersen haugen hagen eide bakker visser smit meijer mulder jansen janssen peeters claes wouters mertens dogan
yilmaz kaya demir sahin celik yildiz ozturk aydin hosseini ahmadi mohammadi karimi rezaei shah mehra bhatia chaudhary
chatterjee banerjee mukherjee sengupta ghosh bose dutta pillai menon nambiar kurup naidu raju chowdary gowda hegde
shetty kamath pai bhat joshi deshpande kulkarni patil pawar shinde jadhav gaikwad chavan thakur tiwari pandey mishra
dubey trivedi shukla agarwal bansal goyal mittal jain khanna sethi ahuja dhawan grewal dhillon sandhu gill sidhu
subramaniam venkataraman krishnan natarajan raghavan sundaram iyengar perera wickramasinghe jayawardena tran pham
hoang phan bui ngo duong bautista ocampo villanueva aquino delacruz ito kobayashi kato yoshida yamada sasaki yamaguchi
matsumoto inoue kimura hayashi shimizu abe ikeda hashimoto jung kang cho yoon jang lim zhao zhou zhu guo gao luo zheng
liang xie deng cai okonkwo eze nwosu obi balogun ogunleye adebayo ibekwe owusu boateng asante osei mwangi odhiambo
ochieng mutua dlamini nkosi ndlovu khumalo mokoena moyo goldberg goldstein rosenberg rosenthal friedman kaplan levine
weinstein schwartz katz cohen shapiro abramson
""".split()

PLACES = """
london paris berlin madrid rome vienna amsterdam chicago boston seattle houston dallas miami denver atlanta phoenix
philadelphia detroit portland austin orlando california texas florida ohio michigan virginia georgia illinois
arizona mumbai delhi chennai bangalore kolkata hyderabad madurai kerala goa pune india china japan france germany
spain italy canada mexico brazil england scotland ireland australia singapore dubai tokyo beijing shanghai sydney
melbourne toronto vancouver montreal europe asia africa russia poland sweden norway finland denmark switzerland
austria belgium netherlands portugal greece turkey egypt kenya nigeria pakistan thailand vietnam korea indonesia
malaysia philippines argentina chile colombia peru estonia latvia cyprus hungary york angeles francisco vegas jersey
carolina
""".split()

ORDINARY = """
yes no ok okay yeah yep nope sure thanks thank thankyou please hello hi hey bye goodbye welcome sorry great good
fine nice cool awesome perfect wonderful morning evening afternoon night today tomorrow yesterday monday friday
january account number card bank payment balance money dollar price cost bill charge refund order delivery address
phone email password user name code ticket flight seat window aisle hotel booking confirm reservation passenger
airport boarding insurance policy claim car vehicle proof internet cable service plan data speed router outlook
salesforce software server error login reset laptop computer mouse keyboard burger pizza fries coke soda beer salad
sandwich cheese onion mozzarella tomato sauce chicken large small medium drink coffee tea water sir madam dear help
need want like know the a an and or but if then because about with without from into over after before between under
again further once here there when where why how all any both each few more most other some such only own same so
than too very can will just should now i you he she it we they my your his her its our their me him them this that
these those am is are was were be been being have has had do does did doing would could may might must shall one two
three four five six seven eight nine ten hundred thousand first second last next new old big little long short high
low right left early late young important public bad different able ask work seem feel try leave call find give tell
become show run move live believe bring happen write provide sit stand lose pay meet include continue set learn
change lead understand watch follow stop create speak read allow add spend grow open walk win offer remember love
consider appear buy wait serve die send expect build stay fall cut reach kill remain suggest raise pass sell require
report decide pull time year people way day man thing woman life child world school state family student group
country problem hand part place case week company system program question government point home room mother area
story fact month lot study book eye job word business issue side kind head house friend father power hour game line
end member law city community president team minute idea kid body information back parent face others level office
door health person art war history party result reason research girl guy moment air teacher force education lawyer
doctor nurse engineer manager assistant fast food music movie band song album film guitar piano football soccer
tennis baseball jazz rock pop metal dog cat horse bird fish tree flower river mountain ocean sun moon star rain snow
wind fire gold silver green blue red black yellow orange purple travel trip vacation train bus taxi bike road street
north south east west center park garden store shop market restaurant kitchen table chair bed bathroom floor wall
roof machine engine oil gas electric energy nuclear solar python java linux windows google facebook amazon microsoft
apple twitter android iphone web site page link button file folder image video audio text document letter paper pen
pencil math science physics chemistry biology medicine hospital disease cancer heart brain blood pain drug pill dose
virus vaccine test exam grade class course lesson college degree project task goal step method process model theory
analysis value rate percent average total sum amount size shape color weight height width depth distance volume
temperature pressure hmm oh ah wow lol haha huh yup nothing something anything everything everyone someone nobody
enough else already still yet never always often sometimes usually maybe perhaps probably definitely really actually
basically exactly absolutely currently recently finally suddenly quickly slowly carefully easily happy sad angry
tired hungry sick busy ready afraid lost stolen broken missing damaged wrong correct true false free full empty hot
cold warm dry wet clean dirty sentence paragraph essay poem describe explain summarize list rewrite translate
generate example noun verb adjective synonym antonym grammar phrase formula equation capital planet gravity
photosynthesis democracy economy byee nothanks thx ty tks pls plz gud mrng hii hai hru bro buddy dude kk okey okie
alright yea ya nah nop nopes u r ur im iam ive id ill dont cant wont didnt doesnt isnt wasnt thats whats lets youre
theyre hmmm sory soery tank thanx cheers regards sincerely hope wish glad pleased pleasure mr mrs ms miss dr maam
mam bot agent admin customer client staff support spicy classic vanilla chocolate cheesecake burrito taco noodles
rice pasta soup steak shrimp bacon sausage egg lettuce pepper sugar salt milk juice lemonade cola sprite smoothie
shake icecream cake cookie donut nuggets wrap combo meal menu topping crust thin thick veg vegetarian beef pork lamb
mushroom olive pickle mayo ketchup mustard parmesan romaine arugula caesar vinaigrette artisan grilled crispy
premium standard basic platinum bronze nonstop direct layover luggage baggage savings checking deposit withdraw
transfer transaction statement overdraft loan mortgage interest branch atm debit credit visa mastercard amex
discover paypal venmo invoice receipt quote deductible coverage accident injury sedan coupe hatchback suv truck van
toyota honda ford nissan hyundai yamaha bmw audi tesla mazda kia volkswagen excel powerpoint photoshop adobe zoom
slack teams gmail yahoo hotmail chrome firefox safari edge ssn pin otp zip cvv dob num digits zipcode pincode avenue
lane drive ltd inc llc corp corporation limited industries solutions technologies technology infotech services
systems tuesday wednesday thursday saturday sunday february march april june july august september october november
december spring summer autumn winter pm tonight noon midnight weekend
celsius fahrenheit kelvin degrees meter meters kilometer liter gram watt joule newton pascal hertz mole molar osmosis
carrot spinach lemon apple banana grape berry trout salmon minerals microwave dental breakthrough apartments airport
international family deep silence hotel museum station theater cinema concert festival church temple castle tower
""".split()
