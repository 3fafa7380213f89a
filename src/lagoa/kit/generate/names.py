"""What Brazilian names, places and goods are made of: short lists, the more frequent first."""

from __future__ import annotations


def _apart(text: str, by: str = " ") -> list[str]:
    return text.split(by)


GIVEN = _apart(
    "Maria José Ana João Antônio Francisco Carlos Paulo Pedro Lucas Luiz Marcos Luís Gabriel Rafael Francisca Adriana "
    "Juliana Márcia Fernanda Patrícia Aline Daniel Marcelo Bruno Rodrigo Sandra Camila Amanda Bruna Jéssica Letícia "
    "Júlia Luciana Vanessa Mariana Gustavo Guilherme Felipe Vitória Eduardo Beatriz Larissa Raimundo Sebastião Cláudia "
    "Helena Miguel Arthur Heitor Davi Bernardo Sophia Alice Laura Valentina Cecília Isabela Luíza Lívia Caio Otávio "
    "Iracema Ubiratã Jussara Moacir"
)
FAMILY = _apart(
    "Silva Santos Oliveira Souza Rodrigues Ferreira Alves Pereira Lima Gomes Ribeiro Costa Carvalho Almeida Lopes "
    "Soares Fernandes Vieira Barbosa Rocha Dias Nascimento Andrade Moreira Nunes Marques Machado Mendes Freitas "
    "Cardoso Ramos Gonçalves Santana Teixeira Araújo Melo Cavalcanti Batista Conceição Araripe Tavares Monteiro "
    "Brandão Sá Yamamoto Schmidt Rossi"
)
STREETS = _apart(
    "Rua das Flores;Rua São José;Rua Sete de Setembro;Avenida Brasil;Rua Quinze de Novembro;Rua Santo Antônio;"
    "Avenida Getúlio Vargas;Rua Tiradentes;Rua Duque de Caxias;Avenida Paulista;Rua Dom Pedro II;Rua Bahia;"
    "Travessa da Paz;Rua Princesa Isabel;Avenida Independência;Rua das Palmeiras;Praça da Matriz;Rua D'Ávila",
    ";",
)
CITIES = (
    ("São Paulo", "SP", 1000, 4999, 11),
    ("Rio de Janeiro", "RJ", 20000, 3799, 21),
    ("Brasília", "DF", 70000, 2799, 61),
    ("Fortaleza", "CE", 60000, 1599, 85),
    ("Salvador", "BA", 40000, 1999, 71),
    ("Belo Horizonte", "MG", 30000, 1999, 31),
    ("Manaus", "AM", 69000, 99, 92),
    ("Curitiba", "PR", 80000, 2599, 41),
    ("Recife", "PE", 50000, 2999, 81),
    ("Goiânia", "GO", 74000, 899, 62),
    ("Belém", "PA", 66000, 999, 91),
    ("Porto Alegre", "RS", 90000, 1999, 51),
    ("Guarulhos", "SP", 7000, 399, 11),
    ("Campinas", "SP", 13000, 139, 19),
    ("São Luís", "MA", 65000, 109, 98),
    ("Maceió", "AL", 57000, 99, 82),
    ("Campo Grande", "MS", 79000, 124, 67),
    ("Teresina", "PI", 64000, 99, 86),
    ("João Pessoa", "PB", 58000, 99, 83),
    ("Natal", "RN", 59000, 139, 84),
    ("Uberlândia", "MG", 38400, 15, 34),
    ("Ribeirão Preto", "SP", 14000, 109, 16),
    ("Cuiabá", "MT", 78000, 99, 65),
    ("Joinville", "SC", 89200, 39, 47),
    ("Aracaju", "SE", 49000, 98, 79),
    ("Londrina", "PR", 86000, 99, 43),
    ("Florianópolis", "SC", 88000, 99, 48),
    ("Niterói", "RJ", 24000, 399, 21),
    ("Porto Velho", "RO", 76800, 34, 69),
    ("Macapá", "AP", 68900, 14, 96),
    ("Rio Branco", "AC", 69900, 24, 68),
    ("Boa Vista", "RR", 69300, 39, 95),
    ("Vitória", "ES", 29000, 99, 27),
    ("Palmas", "TO", 77000, 249, 63),
)
"""City, state, the first five digits of its lowest postal code, how far they go, area code."""
MERCHANTS = {
    "mercado": ("Mercado Boa Compra", "Hortifruti da Vila", "Atacado Cerrado"),
    "restaurante": ("Padaria Pão Dourado", "Cantina do Zé", "Churrascaria Pampa", "Açaí do Norte"),
    "transporte": ("Posto Rota 101", "Corridas Já", "Metrô Cidade"),
    "farmácia": ("Drogaria Vida", "Farmácia São Bento"),
    "vestuário": ("Lojas Carioca", "Moda Ipê"),
    "lazer": ("Cine Central", "Livraria Jatobá", "Viagens Araucária"),
}
"""Invented shops, by what they sell."""
BILLS = ("Energia do Vale", "Águas Claras Saneamento", "Telefonia Tucano", "Condomínio Jardim", "Escola Girassol")
BRANDS = ("Ipê", "Aroeira", "Jatobá")
"""Invented brands of cards."""
GOODS = {
    "casa": (
        ("Garrafa térmica", 8990),
        ("Jogo de panelas", 34990),
        ("Rede de dormir", 17950),
        ("Cuia de chimarrão", 6590),
    ),
    "eletrônicos": (("Fone sem fio", 19990), ("Celular", 189900), ("Carregador", 5990), ("Televisor", 229900)),
    "livros": (("Romance", 4990), ("Atlas do Brasil", 12900), ("Livro de receitas", 6990), ("Quadrinhos", 2990)),
    "moda": (("Camiseta", 5990), ("Sandália", 7990), ("Vestido", 15990), ("Boné", 4990)),
    "esporte": (("Bola", 9990), ("Tênis", 34990), ("Bicicleta", 149900), ("Corda", 2490)),
    "alimentos": (("Café especial", 4590), ("Castanhas", 3990), ("Doce de leite", 2490), ("Azeite", 6490)),
}
"""What the shop sells, by category: name and price in cents."""
PAGES = ("/", "/conta", "/cartoes", "/pix", "/emprestimos", "/investimentos", "/loja", "/ajuda", "/seguros")
"""Pages of the site."""
CAMPAIGNS = (("google", "cpc"), ("instagram", "social"), ("newsletter", "email"), ("parceiro", "afiliado"))
"""utm_source and utm_medium."""
REFERRERS = ("https://www.example.com/", "https://busca.example.org/")
"""Where visitors come from."""
